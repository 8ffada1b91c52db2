/** `--policies`: names separated by commas, or `all`. */
import { isPolicyName, type PolicyName, policyNames } from '../../firmware/src/policies/index.ts';
import { usageProblem } from '../arguments.ts';

export function policiesNamed(command: string, text: string): readonly PolicyName[] {
  if (text === 'all') return policyNames;
  return text
    .split(',')
    .filter(Boolean)
    .map((name) => {
      if (!isPolicyName(name)) {
        throw usageProblem(command, `there is no policy "${name}"`, [`the policies are ${policyNames.join(', ')}`]);
      }
      return name;
    });
}
