/// Where this source tree lies on the machine that built the tests.
public enum Checkout {
    /// The folder of `Package.swift`, without a slash at the end.
    public static let root = String(#filePath.dropLast("/Tests/Support/TestSupport/Checkout.swift".count))

    /// A program that the build has put into place.
    public static func program(_ name: String) -> String { "\(root)/.build/debug/\(name)" }
    /// A script of the emulators, such as `proxmox/node`.
    public static func emulator(_ script: String) -> String { "\(root)/Tests/Support/Emulators/\(script)" }
}
