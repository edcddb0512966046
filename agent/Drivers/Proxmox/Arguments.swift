import DriverKit
import Glibc
import Model
import WireProtocol

/// What a text that reaches a command line may look like. A comma or an equals sign in the wrong place would add properties
/// to a network or a volume, a dash at the start would be an option.
struct Pattern: Sendable {
    let expectation: String
    let accepts: @Sendable (String) -> Bool

    static let storage = word("the name of a storage", 2...100, inner: "-_.")
    static let bridge = word("the name of a bridge", 1...15, inner: "-_.")
    static let interface = word("the name of a network interface", 1...15, inner: "-_.")
    static let tag = Pattern("a tag of lower-case letters, digits, -, _, + and .") { text in
        (1...63).contains(text.utf8.count) && text.first.map { $0.isLetter || $0.isNumber || $0 == "_" } ?? false
            && text.utf8.allSatisfy { isLower($0) || "-_+.".utf8.contains($0) }
    }
    static let snapshot = Pattern("2 to 40 letters, digits, - and _, beginning with a letter; not current or vzdump") {
        (2...40).contains($0.utf8.count) && isWord($0, inner: "-_") && isLetter($0.utf8.first ?? 0)
            && !["current", "vzdump"].contains($0)
    }
    static let template = Pattern("storage:vztmpl/file") { text in
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, storage.accepts(String(parts[0])), parts[1].hasPrefix("vztmpl/") else { return false }
        let file = String(parts[1].dropFirst(7))
        return (1...200).contains(file.utf8.count) && isWord(file, inner: "-_.+~")
    }
    static let address = Pattern("an IP address") { isAddress($0, AF_INET) || isAddress($0, AF_INET6) }
    static let address4 = Pattern("an IPv4 address") { isAddress($0, AF_INET) }
    static let address6 = Pattern("an IPv6 address") { isAddress($0, AF_INET6) }
    static let network4 = Pattern("an IPv4 address with its prefix length, dhcp or manual") {
        ["dhcp", "manual"].contains($0) || isNetwork($0, AF_INET, 32)
    }
    static let network6 = Pattern("an IPv6 address with its prefix length, auto, dhcp or manual") {
        ["auto", "dhcp", "manual"].contains($0) || isNetwork($0, AF_INET6, 128)
    }
    static let mac = Pattern("the address of one network card, as BC:24:11:00:00:01") { text in
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let bytes = parts.compactMap { $0.utf8.count == 2 ? UInt8($0, radix: 16) : nil }
        return parts.count == 6 && bytes.count == 6 && bytes[0] & 1 == 0 && !text.contains("+")
    }
    static let disk = Pattern("rootfs or mp0 to mp255") { text in
        text == "rootfs"
            || text.hasPrefix("mp") && Int(text.dropFirst(2)).map { (0...255).contains($0) } ?? false
                && !text.contains("+")
    }
    static let removable = Pattern(
        "net, mp or unused with a number, nameserver, searchdomain, cpulimit, startup or tags"
    ) {
        if ["nameserver", "searchdomain", "cpulimit", "startup", "tags"].contains($0) { return true }
        guard let kind = ["net", "mp", "unused"].first(where: $0.hasPrefix) else { return false }
        let number = $0.dropFirst(kind.count)
        return number.utf8.allSatisfy(isDigit) && Int(number).map { (0...255).contains($0) } ?? false
    }
    static let settingKey = Pattern("the key of a setting, as pending lists it") {
        (2...32).contains($0.utf8.count) && $0.utf8.allSatisfy(isLower) && $0.utf8.first.map(isLetter) ?? false
    }
    static let mountPoint = Pattern("an absolute path without a comma or an equals sign") { text in
        text != "/" && Grammar.absolutePath.accepts(text) && !text.contains(",") && !text.contains("=")
    }
    /// Of the cluster.
    static let node = Pattern("the name of a node") { (1...63).contains($0.utf8.count) && isWord($0, inner: "-") }
    static let rule = Pattern("the name of a rule: 2 to 60 letters, digits, - and _, beginning with a letter") {
        (2...60).contains($0.utf8.count) && isWord($0, inner: "-_") && isLetter($0.utf8.first ?? 0)
    }
    static let backup = Pattern("storage:backup/name of a container's backup") { text in
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, storage.accepts(String(parts[0])) else { return false }
        let name = parts[1]
        return ["backup/vzdump-lxc-", "backup/ct/"].contains { name.hasPrefix($0) } && name.utf8.count <= 250
            && isWord(String(name), inner: "-_.:/+") && !name.contains("..")
    }
    /// Of a file inside a container.
    static let innerPath = Pattern("an absolute path of a file") { Grammar.absolutePath.accepts($0) && $0 != "/" }
    static let checksum = Pattern("a SHA-256 of 64 lower-case hexadecimal digits") {
        $0.utf8.count == 64 && $0.utf8.allSatisfy { isDigit($0) || (0x61...0x66).contains($0) }
    }
    static let mode = Pattern("permissions of three or four octal digits") {
        (3...4).contains($0.utf8.count) && $0.utf8.allSatisfy { (0x30...0x37).contains($0) }
    }
    static let publicKey = Pattern("a public SSH key on one line") { text in
        (32...16_384).contains(text.utf8.count) && text.utf8.allSatisfy { (0x20...0x7E).contains($0) || $0 >= 0x80 }
            && ["ssh-", "ecdsa-", "sk-"].contains { text.hasPrefix($0) }
    }

    init(_ expectation: String, _ accepts: @escaping @Sendable (String) -> Bool) {
        self.expectation = expectation
        self.accepts = accepts
    }

    private static func word(_ expectation: String, _ length: ClosedRange<Int>, inner: String) -> Pattern {
        Pattern(expectation) { length.contains($0.utf8.count) && isWord($0, inner: inner) }
    }

    private static func isWord(_ text: String, inner: String) -> Bool {
        guard let first = text.utf8.first, isLetter(first) || isDigit(first) else { return false }
        return text.utf8.allSatisfy { isLetter($0) || isDigit($0) || inner.utf8.contains($0) }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }
    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    private static func isLower(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) || isDigit(byte) }

    private static func isAddress(_ text: String, _ family: Int32) -> Bool {
        var room = in6_addr()
        return !text.utf8.contains(0) && inet_pton(family, text, &room) == 1
    }

    private static func isNetwork(_ text: String, _ family: Int32, _ most: Int) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].utf8.allSatisfy(isDigit), let length = Int(parts[1]) else { return false }
        return (1...most).contains(length) && isAddress(String(parts[0]), family)
    }
}

extension ArgumentReader {
    mutating func vmid(_ key: String = "vmid") throws(DriverError) -> Int {
        Int(try integer(key))
    }

    /// The container that the call changes: the one that its resource names.
    mutating func vmid(of call: ActionCall) throws(DriverError) -> Int {
        let vmid = try vmid()
        guard call.resource == "proxmox/ct/\(vmid)" else {
            throw DriverError(
                .invalidArgument, "container \(vmid) is not what the call's resource \(call.resource) names")
        }
        return vmid
    }
}
