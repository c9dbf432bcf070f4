import type { ComponentChildren } from "preact";

/** How many rows of a list are shown at first. */
export const FIRST = 50;
const MOST = 1000;

/** How many are shown when more are asked for. */
export function more(than: number): number {
  return Math.min(MOST, than * 2);
}

export interface Column<Row> {
  title: string;
  /** Wide ones take what is left. */
  kind?: "wide" | "number" | "tools";
  cell: (row: Row) => ComponentChildren;
}

/**
 * Rows under titles; where there is little room each row becomes a card that repeats the titles. Roles are said besides
 * the elements, as what is laid out as cards is no table to browsers any more.
 */
export function Table<Row>(props: {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
  more?: (() => void) | undefined;
}) {
  const { columns, rows } = props;
  return (
    <>
      <table role="table" aria-label={props.label}>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => (
              <th key={column.title} role="columnheader" scope="col" class={column.kind}>
                {column.kind === "tools" ? <span class="unseen">{column.title}</span> : column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <tr key={props.keyOf(row)} role="row">
              {columns.map((column) => (
                <td key={column.title} role="cell" class={column.kind} data-title={column.title}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {props.more && (
        <p class="more">
          {rows.length < MOST ? (
            <button type="button" onClick={props.more}>
              Show more
            </button>
          ) : (
            "There are more: search for what you look for."
          )}
        </p>
      )}
    </>
  );
}
