/** What the page's build takes as text besides code. */
declare module '*.css';
declare module '*.hgrec' {
  /** The file in base64. */
  const content: string;
  export default content;
}
