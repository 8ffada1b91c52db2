/** U+01C2: a letter to JavaScript, and in no program. Every name of the machinery inside the sandbox begins with it. */
export const marker = 'ǂ';
