// What the check found: counted, said once, and weighed against the exceptions that are listed with their reasons.

export class Report {
  violations = new Map()
  figures = new Map()
  #exceptions

  constructor(exceptions = []) {
    this.#exceptions = exceptions.map((exception) => ({ ...exception, used: 0 }))
  }

  /** Counts something. */
  count(what, by = 1) {
    this.figures.set(what, (this.figures.get(what) ?? 0) + by)
  }

  figure(what) {
    return this.figures.get(what) ?? 0
  }

  /** Something breaks the contract: `against` which description, `where` (method, route, status), at which pointer. */
  violation({ against, where, pointer = '', what }) {
    // Places in lists are one and the same finding.
    const place = pointer.replace(/\/\d+(?=\/|$)/g, '/*')
    const exception = this.#exceptions.find(
      (known) => known.against.test(against) && known.where.test(where) && known.pointer.test(place) && known.what.test(what),
    )
    if (exception) {
      exception.used += 1
      return
    }
    add(this.violations, `${where}${place ? ` at ${place}` : ''}: ${what}`, against)
  }

  /** Exceptions that excuse nothing any more are wrong, too. */
  close() {
    for (const exception of this.#exceptions) {
      if (exception.used === 0) {
        add(this.violations, `"${exception.reason}" (${exception.where}) excuses nothing: remove it`, 'exceptions')
      }
    }
  }

  excused() {
    return this.#exceptions.filter((exception) => exception.used > 0)
  }
}

/** A finding is said once, with all the descriptions it is against. */
function add(found, line, against) {
  const known = found.get(line) ?? { count: 0, against: new Set() }
  known.count += 1
  known.against.add(against)
  found.set(line, known)
}
