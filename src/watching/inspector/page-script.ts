/**
 * The script of the page: it polls, and shows what it gets. Rows are kept from one poll to the next, so that
 * the focus and the position stay. No `innerHTML`: names and codes may contain anything.
 */
export const pageScript = `
const pollMs = 2000
const rateMs = 60000
const main = document.getElementById('main')
const status = document.getElementById('status')
const pause = document.getElementById('pause')
let isPaused = false
let timer
let views = []

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

const ref = ['Session', (one) => one.ref || '', 'code']
const number = 'number'
const tiles = [
  ['size', 'Sessions'], ['held', 'Held'], ['running', 'Turns running'], ['waiting', 'Turns waiting'],
  ['archiving', 'Archiving'], ['disposing', 'Disposing'],
]
const counters = [
  ['created', 'Created'], ['loaded', 'Loaded'], ['turns', 'Turns'], ['hits', 'Hits'], ['misses', 'Misses'],
  ['expired', 'Expired'], ['evicted', 'Evicted'], ['deleted', 'Deleted'], ['turnTimeouts', 'Turns that timed out'],
  ['archiveFailures', 'Archives that failed'], ['listenerErrors', 'Listeners that failed'],
]
const ends = [
  ['idle', 'Idle'], ['age', 'Age'], ['capacity', 'Capacity'], ['deleted', 'Deleted'], ['replaced', 'Replaced'],
  ['closed', 'Closed'],
]
const failures = [
  ['archive', 'Archive attempts that failed'], ['save', 'Save attempts that failed'], ['error', 'Errors'],
]

function failureText({ what, attempt, event }) {
  if (event) return 'listener of ' + event
  return attempt ? what + ', attempt ' + attempt : what
}

class View {
  constructor(index, endSessions) {
    this.history = []
    this.element = make('section')
    const head = make('div', 'head')
    this.name = head.appendChild(make('h2'))
    this.badge = head.appendChild(make('span', 'badge'))
    this.note = make('p', 'note')
    const list = make('dl', 'tiles')
    this.tiles = tiles.map(([field, title]) => {
      const tile = list.appendChild(make('div'))
      tile.append(make('dt', '', title))
      return [field, tile.appendChild(make('dd'))]
    })
    const end = endSessions ? (ref) => endSession(index, this.name.textContent, ref) : undefined
    this.busy = new Table('In use, loading or leaving', [
      ref,
      ['State', (one) => one.state],
      ['Turn for', (one) => one.running ? duration(one.running.sinceMs) : '', number],
      ['When busy', (one) => one.running ? one.running.whenBusy : ''],
      ['Waiting', (one) => one.waiting || '', number],
      ['Holds', (one) => one.holds || '', number],
      ['Held for', (one) => duration(one.heldMs), number],
      ['Attempts', (one) => one.attempts || '', number],
      ['Age', (one) => duration(one.ageMs), number],
    ], (one) => one.ref, end)
    this.idle = new Table('Idle for longest', [
      ref,
      ['State', (one) => one.state],
      ['Idle for', (one) => duration(one.idleMs), number],
      ['Age', (one) => duration(one.ageMs), number],
    ], (one) => one.ref, end)
    this.failures = new Table('Last failures', [
      ['Ago', (one) => duration(one.agoMs), number],
      ref,
      ['What', failureText],
      ['Code', (one) => one.code, 'code'],
    ], (one) => one.ref + one.what)
    this.ends = new Table('Last ends', [
      ['Ago', (one) => duration(one.agoMs), number],
      ref,
      ['Reason', (one) => one.reason],
      ['Idle for', (one) => duration(one.idleMs), number],
      ['Age', (one) => duration(one.ageMs), number],
    ], (one) => one.ref + one.reason)
    const columns = [
      ['What', (one) => one[1]],
      ['Total', (one) => count(one[2]), number],
      ['Per minute', (one) => count(one[3]), number],
    ]
    this.counters = new Table('Since the registry was made', columns, (one) => one[0])
    this.totals = new Table('Ends and failures since the page was mounted', columns, (one) => one[0])
    const pair = (...tables) => {
      const element = make('div', 'pair')
      element.append(...tables.map((table) => table.element))
      return element
    }
    this.element.append(
      head, this.note, list, this.busy.element, this.idle.element,
      pair(this.failures, this.ends), pair(this.counters, this.totals),
    )
  }

  update(one, sinceMs) {
    setText(this.name, one.name)
    const health = one.problem || (one.health ? one.health.why || 'ready' : 'no health')
    setText(this.badge, health)
    this.badge.classList.toggle('bad', health !== 'ready')
    const stats = one.stats || {}
    setText(this.note, noteOf(one))
    this.note.hidden = this.note.textContent === ''
    for (const [field, element] of this.tiles) setText(element, count(stats[field]))
    this.busy.update(one.busy)
    const idle = one.isShared ? undefined : stats.size - stats.held
    this.idle.update(one.idle, idle > one.idle.length ? one.idle.length + ' of ' + count(idle) : '')
    this.failures.update(one.lastFailures)
    this.ends.update(one.lastEnds)
    const rates = this.rates({ ...stats, ends: one.endsByReason, failures: one.failureCounts })
    this.counters.update(counters.map(([field, title]) => [field, title, stats[field], rates((at) => at[field])]))
    this.totals.update([
      ...ends.map(([field, title]) => [
        field, 'Ended: ' + title, one.endsByReason[field] || 0, rates((at) => at.ends[field] || 0),
      ]),
      ...failures.map(([field, title]) => [
        'failed ' + field, title, one.failureCounts[field], rates((at) => at.failures[field]),
      ]),
    ], duration(sinceMs) + ' ago')
  }

  /* Rates of the last minute, from what the polls have brought; undefined at the first. */
  rates(totals) {
    const now = performance.now()
    this.history.push([now, totals])
    while (this.history.length > 2 && now - this.history[0][0] > rateMs) this.history.shift()
    const [at, first] = this.history[0]
    return (read) => {
      const rate = ((read(totals) - read(first)) / (now - at)) * 60000
      return Number.isFinite(rate) ? Math.round(Math.max(rate, 0) * 10) / 10 : undefined
    }
  }
}

function noteOf(one) {
  const parts = []
  if (one.problem) parts.push('Some figures are missing: ' + one.problem + '.')
  if (one.isShared) {
    parts.push('On Redis: the number of sessions is that of all processes, all else is of this process.')
  }
  return parts.join(' ')
}

function show(snapshot) {
  if (views.length !== snapshot.registries.length) {
    views = snapshot.registries.map((_, index) => new View(index, snapshot.endSessions))
    main.replaceChildren(...views.map((view) => view.element))
  }
  snapshot.registries.forEach((one, index) => views[index].update(one, snapshot.sinceMs))
}

function say(text, isBad) {
  setText(status, text)
  status.classList.toggle('bad', Boolean(isBad))
}

/* The address of the page with other parameters, so that it works wherever it is mounted. */
function address(parameters) {
  const url = new URL(location.href)
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  return url
}

async function poll() {
  clearTimeout(timer)
  try {
    const response = await fetch(address({ snapshot: '' }), { signal: AbortSignal.timeout(10000) })
    if (response.ok) {
      show(await response.json())
      say(isPaused ? 'Paused' : 'Live')
    } else {
      say('Not live: the server answered with ' + response.status, true)
    }
  } catch {
    say('Not live: the server does not answer', true)
  }
  clearTimeout(timer)
  if (!isPaused && !document.hidden) timer = setTimeout(poll, pollMs)
}

async function endSession(registry, name, ref) {
  const question = 'End session ' + ref + ' of ' + name + '? It is deleted, and not archived.'
  if (!confirm(question)) return
  const response = await fetch(address({ end: ref, registry }), { method: 'POST' }).catch(() => undefined)
  await poll()
  if (response && response.ok) say('Session ' + ref + ' has ended')
  else say('Session ' + ref + ' has not ended' + (response ? ': ' + response.status : ''), true)
}

pause.addEventListener('click', () => {
  isPaused = !isPaused
  setText(pause, isPaused ? 'Resume' : 'Pause')
  if (isPaused) {
    clearTimeout(timer)
    say('Paused')
  } else {
    poll()
  }
})
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && !isPaused) poll()
})
show(JSON.parse(document.getElementById('snapshot').textContent))
say('Live')
timer = setTimeout(poll, pollMs)
`
