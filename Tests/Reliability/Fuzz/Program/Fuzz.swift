import Glibc

// innkeeper-fuzz TARGET [libFuzzer's options and files]; without a target the names of all.

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ callback: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// The driver's callback cannot carry it. Set once, before the driver starts.
nonisolated(unsafe) private var chosen: FuzzTarget?

private func attack(_ input: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    do { try chosen?.check(UnsafeRawBufferPointer(start: input, count: count)) } catch { fatalError("\(error)") }
    return 0
}

/// libFuzzer's archive asks for this symbol even where its own `main` is not used.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ input: UnsafePointer<UInt8>?, _ count: Int) -> CInt { attack(input, count) }

/// The package manager makes the program begin here instead of in libFuzzer's `main`.
@_cdecl("innkeeper_fuzz_main")
public func begin(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> CInt {
    guard count > 1, let word = arguments[1] else {
        for target in FuzzTarget.all { print(target.name, target.longest) }
        return 0
    }
    let name = String(cString: word)
    guard let target = FuzzTarget.all.first(where: { $0.name == name }) else {
        let complaint = Array("innkeeper-fuzz: there is no target \(name)\n".utf8)
        _ = write(STDERR_FILENO, complaint, complaint.count)
        return 2
    }
    chosen = target
    // The driver sees its own options only; it starts itself again under the program's name for some of them.
    arguments[1] = arguments[0]
    var (left, rest) = (count - 1, Optional(arguments + 1))
    return runDriver(&left, &rest, attack)
}
