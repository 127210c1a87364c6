import { requireSteps } from '../../src/core/events/step.ts'

// In tests a change of a registry outside of a step throws, where it would heal itself elsewhere.
requireSteps()
