/**
 * The part of the script of the page that shows tables. Rows are kept from one poll to the next, so that the
 * focus and the position stay. No `innerHTML`: what is shown is text.
 */
export const tableScript = `
function make(tag, className, text) {
  const element = document.createElement(tag)
  if (className) element.className = className
  if (text !== undefined) element.textContent = text
  return element
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text
}

function duration(ms) {
  if (ms === undefined || ms === null) return ''
  if (ms < 10000) return (ms / 1000).toFixed(1) + ' s'
  const units = [['d', 86400000], ['h', 3600000], ['m', 60000], ['s', 1000]]
  const at = units.findIndex(([, size]) => ms >= size)
  const [[name, size], next] = units.slice(at)
  const rest = next ? Math.floor((ms % size) / next[1]) : 0
  return Math.floor(ms / size) + ' ' + name + (rest ? ' ' + rest + ' ' + next[0] : '')
}

function count(n) {
  return n === undefined ? '–' : n.toLocaleString('en')
}

/* A table that keeps its rows by key. Columns are [title, text of an item, class]. */
class Table {
  constructor(title, columns, keyOf, action) {
    this.columns = columns
    this.keyOf = keyOf
    this.action = action
    this.rows = new Map()
    this.element = make('section', 'card')
    const heading = make('h3', '', title)
    this.note = heading.appendChild(make('span'))
    const scroll = make('div', 'scroll')
    scroll.tabIndex = 0
    scroll.setAttribute('role', 'group')
    scroll.setAttribute('aria-label', title)
    const table = scroll.appendChild(make('table'))
    const head = table.appendChild(make('thead')).appendChild(make('tr'))
    for (const [name, , className] of columns) {
      head.appendChild(make('th', className, name)).scope = 'col'
    }
    if (action) head.appendChild(make('th', '', 'Action')).scope = 'col'
    this.body = table.appendChild(make('tbody'))
    this.empty = make('tr')
    const cell = this.empty.appendChild(make('td', 'none', 'none'))
    cell.colSpan = columns.length + (action ? 1 : 0)
    this.element.append(heading, scroll)
  }

  update(items, note) {
    setText(this.note, note ? ' ' + note : '')
    const rows = new Map()
    const focused = document.activeElement
    for (const item of items) {
      let key = this.keyOf(item)
      while (rows.has(key)) key += '+'
      const row = this.rows.get(key) || this.makeRow(item)
      this.columns.forEach(([, textOf], at) => setText(row.cells[at], String(textOf(item))))
      rows.set(key, row)
    }
    for (const [key, row] of this.rows) if (!rows.has(key)) row.remove()
    this.rows = rows
    this.empty.remove()
    let at = 0
    for (const row of rows.values()) {
      if (this.body.rows[at] !== row) this.body.insertBefore(row, this.body.rows[at] || null)
      at += 1
    }
    if (at === 0) this.body.append(this.empty)
    if (focused !== document.activeElement && this.body.contains(focused)) focused.focus({ preventScroll: true })
  }

  makeRow(item) {
    const row = make('tr')
    for (const [, , className] of this.columns) row.appendChild(make('td', className))
    if (this.action) {
      const button = make('button', '', 'End')
      button.type = 'button'
      button.setAttribute('aria-label', 'End session ' + item.ref)
      button.addEventListener('click', () => this.action(item.ref))
      row.appendChild(make('td')).append(button)
    }
    return row
  }
}
`
