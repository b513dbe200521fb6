// REST exchanges against a description: the request, and status, body and pages of the answer.

import { pageFaults } from './pages.js'
import { byProduct } from './recording.js'
import { requestFaults } from './requests.js'
import { valueFaults } from './values.js'

/** Faults that answer in place of the fake; those that only delay leave the fake's own answer. */
function injected(exchange) {
  return exchange.fault !== null && !/^\{"delay-/.test(exchange.fault)
}

/** Holds one exchange against a description. */
export function checkExchange(description, exchange, report) {
  const { method, route, status } = exchange
  const against = description.name
  const where = (what) => `${method} ${route ?? exchange.path} ${what}`
  const say = (what) => (fault) => report.violation({ against, where: where(what), ...fault })
  if (route === null) {
    // Tests ask for what is not there on purpose; the product never does.
    if (byProduct(exchange)) say('request')({ what: 'an operation that is not documented' })
    return
  }
  const operation = description.operation(method, route)
  if (!operation) {
    say('request')({ what: 'an operation that is not documented' })
    return
  }
  // Of an App's own operations GitHub says that they take its signature, and of no other.
  if ((exchange.signed ?? false) !== operation.isSigned) say('request')({ what: operation.isSigned ? 'takes an App\'s signature, and the fake a token' : 'takes a token, and the fake an App\'s signature' })
  // A request that a test got wrong on purpose, and the fake refused, is as it should be.
  if (byProduct(exchange) || (status !== null && status < 400)) {
    requestFaults(operation, exchange).forEach(say('request'))
    report.count(`requests, ${against}`)
  }
  if (status === null || injected(exchange)) return
  let documented = operation.answer(status)
  if (!documented?.body && status >= 400 && status < 500) {
    // GitHub refuses in ways that it does not document; those that are listed as known still have its usual form.
    say(status)({ what: documented ? 'a body that is not documented' : 'a status that is not documented' })
    documented = { body: `/components/schemas/${status === 422 ? 'validation-error' : 'basic-error'}` }
  }
  if (documented) answerFaults(operation, documented, exchange).forEach(say(status))
  else say(status)({ what: 'a status that is not documented' })
  report.count(`answers, ${against}`)
}

function answerFaults(operation, documented, exchange) {
  const { response_body: body, response_headers: headers } = exchange
  const faults = []
  if (documented.body) {
    if (!/^application\/json/.test(headers['content-type'] ?? '')) faults.push({ pointer: '/headers/content-type', what: 'is not JSON' })
    faults.push(...operation.description.schemas.faults(documented.body, body), ...valueFaults(operation, exchange))
  } else if (body !== null) faults.push({ what: 'a body where none is documented' })
  if (exchange.status >= 400 && exchange.status < 500) faults.push(...refusalFaults(exchange))
  return [...faults, ...pageFaults(operation, documented, exchange)]
}

/** What every refusal of GitHub has, though no schema asks for it: what is wrong, and its status as text. */
function refusalFaults({ status, response_body: body }) {
  const faults = []
  if (typeof body?.message !== 'string' || body.message === '') faults.push({ pointer: '/message', what: 'a refusal does not say why' })
  if (body?.status !== undefined && body.status !== String(status)) faults.push({ pointer: '/status', what: `is ${JSON.stringify(body.status)} and not "${status}"` })
  return faults
}
