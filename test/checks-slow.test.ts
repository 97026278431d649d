import { SLOW, testFaults } from './_checks.js'

testFaults(SLOW)
