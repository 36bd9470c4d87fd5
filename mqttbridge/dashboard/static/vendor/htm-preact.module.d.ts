/** Types of what the page uses of htm/preact/standalone. Props are the component's own business: see each view. */

export type Child = unknown;
export type Props = Record<string, any>;

export class Component {
  constructor(props?: Props, context?: unknown);
  props: any;
  state: any;
  context: any;
  base: Element | Text | null;
  setState(state: Record<string, any> | ((state: any, props: any) => Record<string, any> | null), done?: () => void): void;
  forceUpdate(done?: () => void): void;
  render(props?: any, state?: any): Child;
}

export interface Context<T> {
  Provider: (props: { value: T; children?: Child }) => Child;
  Consumer: (props: { children?: (value: T) => Child }) => Child;
}

export function html(strings: TemplateStringsArray, ...values: unknown[]): any;
export function h(type: unknown, props: Props | null, ...children: Child[]): any;
export function render(child: Child, parent: Element, replace?: Element): void;
export function createContext<T>(value: T): Context<T>;
export function useContext<T>(context: Context<T>): T;
export function useState<T>(first: T | (() => T)): [T, (next: T | ((now: T) => T)) => void];
export function useReducer<S, A>(reducer: (state: S, action: A) => S, first: S): [S, (action: A) => void];
export function useEffect(effect: () => void | (() => void), inputs?: readonly unknown[]): void;
export function useLayoutEffect(effect: () => void | (() => void), inputs?: readonly unknown[]): void;
export function useRef<T>(first: T): { current: T };
export function useMemo<T>(make: () => T, inputs?: readonly unknown[]): T;
export function useCallback<T extends (...args: any[]) => unknown>(callback: T, inputs?: readonly unknown[]): T;
