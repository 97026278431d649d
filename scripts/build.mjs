import { setUp } from './setup.mjs'
setUp({ tests: true })
