/** Calls a listener of the program: what it throws is thrown behind the call, as if nobody had called it from here. */
export function tell(call: () => void): void {
  try {
    call()
  } catch (error) {
    process.nextTick(() => {
      throw error
    })
  }
}
