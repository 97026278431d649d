/** What stands before the last "@" can be a password, also one that was not escaped: errors show the rest. */
export const hideCredentials = (url: string): string => url.replace(/^([a-z][a-z0-9+.-]*:)?(\/\/)?.*@/is, '$1$2…@')

/** The same without the query, which can have a token. */
export const hideSecrets = (url: string): string => hideCredentials(url).replace(/\?.*$/s, '?…')
