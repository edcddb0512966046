import Processes
import WireProtocol

@testable import DriverKit

/// What properties about tools have in common: figures that the link carries, errors that say something and not too much.

/// What goes into results and inventories goes over the link.
func carried(_ object: JSONObject) throws {
    let again: JSONValue
    do { again = try JSONParser.parse(object.encoded, limits: .local) } catch {
        throw Violation(description: "what was observed is no JSON: \(error)")
    }
    try require(again == .object(object), "what was observed changes on its way")
}

/// An error for people: a sentence, and of what a tool said no more than the drivers promise. Counted in scalars: a
/// character may be of any length.
func brief(_ error: DriverError, atMost limit: Int = 600) throws {
    try require(!error.message.isEmpty, "an error without a message")
    try require(
        (error.cause ?? "").unicodeScalars.count <= limit, "a cause of \((error.cause ?? "").unicodeScalars.count)")
    try carried(["message": .string(error.message), "cause": error.cause.map { .string($0) } ?? .null])
}

/// A tool that ended by itself and said this where complaints go.
func ended(_ complaint: some Sequence<UInt8>, code: Int32 = 1, said output: [UInt8] = []) -> ProcessOutcome {
    ProcessOutcome(exit: .code(code), stdout: output, stderr: Array(complaint), truncated: false, ended: .itself)
}

/// The line feeds of an input and one more: nothing that is made of lines may be more than these.
func lineCount(_ input: UnsafeRawBufferPointer) -> Int { input.count { $0 == 0x0A } + 1 }

/// Whether the bytes of one text occur in another; characters would hide what a combining mark follows.
func contains(_ text: String, bytes part: String) -> Bool {
    places(of: part, in: text).isEmpty == false
}

/// Behind each place where the bytes of one text occur in another: what follows.
func places(of part: String, in text: String) -> [ArraySlice<UInt8>] {
    let (bytes, wanted) = (Array(text.utf8), Array(part.utf8))
    guard bytes.count >= wanted.count else { return [] }
    return (0...(bytes.count - wanted.count)).compactMap { start in
        bytes[start..<start + wanted.count].elementsEqual(wanted) ? bytes[(start + wanted.count)...] : nil
    }
}
