/// A property that must hold for every input: what a fuzzer varies, and a test repeats over the kept inputs.
struct FuzzTarget: Sendable {
    /// The name on the command line and of the folder of its inputs.
    let name: String
    /// Longest input that the fuzzer makes, in bytes.
    let longest: Int
    private let property: @Sendable (UnsafeRawBufferPointer) throws -> Void

    init(_ name: String, longest: Int = 4096, _ property: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Void) {
        self.name = name
        self.longest = longest
        self.property = property
    }

    /// Throws a `Violation` when the property does not hold. Traps where the code under test does.
    func check(_ input: UnsafeRawBufferPointer) throws { try property(input) }
}

/// A property that did not hold for an input.
struct Violation: Error, CustomStringConvertible {
    let description: String
}

func require(
    _ condition: Bool, _ problem: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line
) throws(Violation) {
    guard condition else { throw Violation(description: "\(file):\(line): \(problem())") }
}

/// The value of an attempt, or nil where it refused; the refusal itself must say something.
func attempt<Value, Failure: Error & CustomStringConvertible>(
    _ work: () throws(Failure) -> Value
) throws(Violation) -> Value? {
    do { return try work() } catch {
        try require(!error.description.isEmpty, "an error without a description: \(Failure.self)")
        return nil
    }
}

/// An input read as text, where a parser takes text.
func text(_ input: some Sequence<UInt8>) -> String { String(decoding: Array(input), as: UTF8.self) }
