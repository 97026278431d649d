export { END, NEED_DATA, type Decoder, type End, type NeedData } from '../decoder.js'
export {
  DELIMITER_OPTIONS,
  DelimiterDecoder,
  encodeDelimited,
  type DelimitedEvent,
  type DelimiterOptions,
  type DelimiterSettings,
} from './delimiter.js'
export {
  encodeFrame,
  FRAME_OPTIONS,
  LengthPrefixDecoder,
  type FrameEvent,
  type FrameOptions,
  type FrameSettings,
  type LengthPrefix,
} from './length-prefix.js'
export {
  encodeLine,
  LINE_OPTIONS,
  LineDecoder,
  type LineEnding,
  type LineEvent,
  type LineOptions,
  type LineSettings,
} from './lines.js'
export {
  encodeNetstring,
  NETSTRING_OPTIONS,
  NetstringDecoder,
  type NetstringEvent,
  type NetstringOptions,
  type NetstringSettings,
} from './netstring.js'
