const { smoke } = require('./smoke-steps.cjs')

smoke(require('session-registry'), require('session-registry/testing'))
