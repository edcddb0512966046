import WireProtocol

/// Hides what is secret in a command line as libvirt writes it into the log of a machine: words as a shell has them, on one
/// line or on many with a backslash at their ends. Between quotation marks a word may go over several lines.
struct LoggedCommand {
    /// Variables of the environment whose values are told; the owner of a machine may have set any others.
    private static let plainVariables: Set = [
        "LC_ALL", "LANG", "PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "XDG_DATA_HOME", "XDG_CACHE_HOME",
        "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "QEMU_AUDIO_DRV", "SDL_AUDIODRIVER", "DISPLAY",
    ]

    private let bytes: [UInt8]
    private var result: [UInt8] = []
    private var place = 0
    /// The option that the next word belongs to.
    private var option: [UInt8] = []
    private var isInEnvironment = true

    static func hidden(in bytes: [UInt8]) -> [UInt8] {
        var command = LoggedCommand(bytes)
        command.run()
        return command.result
    }

    /// Whether a line begins, or is, a command or a part of one.
    static func begins(_ line: ArraySlice<UInt8>) -> Bool {
        guard let first = line.first else { return false }
        if first == 0x2D { return line.dropFirst().first.map { (0x61...0x7A).contains($0) } ?? false }
        if first == 0x2F || variable(line) != nil { return true }
        let text = Array(line.prefix(4096))
        return [" -name ", "/qemu-system-", "/qemu-kvm"].contains { word in
            let word = Array(word.utf8)
            return text.count >= word.count
                && (0...text.count - word.count).contains { text[$0...].starts(with: word) }
        }
    }

    /// Whether a command goes on behind this line.
    /// - Parameter isQuoted: whether the line begins between quotation marks, and then whether it ends there.
    static func goesOn(behind line: ArraySlice<UInt8>, _ isQuoted: inout Bool) -> Bool {
        var isEscaped = false
        for byte in line {
            if isEscaped {
                isEscaped = false
            } else if byte == 0x27 {
                isQuoted.toggle()
            } else {
                isEscaped = byte == 0x5C && !isQuoted
            }
        }
        return isQuoted || isEscaped
    }

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    private mutating func run() {
        while place < bytes.count {
            if " \t\n".utf8.contains(bytes[place]) {
                result.append(bytes[place])
                place += 1
            } else if bytes[place] == 0x5C, place + 1 >= bytes.count || bytes[place + 1] == 0x0A {
                result.append(bytes[place])
                place += 1
            } else {
                takeWord()
            }
        }
    }

    private mutating func takeWord() {
        let start = place
        let word = readWord()
        let told = told(word)
        result += told == word ? Array(bytes[start..<place]) : Self.quoted(told)
        option = word.first == 0x2D ? word : []
    }

    /// The word as the program gets it; the place is behind it then.
    private mutating func readWord() -> [UInt8] {
        var word: [UInt8] = []
        var isQuoted = false
        while place < bytes.count {
            let byte = bytes[place]
            if byte == 0x27 {
                isQuoted.toggle()
            } else if isQuoted {
                word.append(byte)
            } else if " \t\n".utf8.contains(byte) {
                break
            } else if byte == 0x5C {
                guard place + 1 < bytes.count, bytes[place + 1] != 0x0A else { break }
                place += 1
                word.append(bytes[place])
            } else {
                word.append(byte)
            }
            place += 1
        }
        return word
    }

    private static func quoted(_ word: [UInt8]) -> [UInt8] {
        let isPlain = word.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || "[]_-./:=,+@%?".utf8.contains(byte)
        }
        if isPlain { return word }
        return [0x27] + word.flatMap { $0 == 0x27 ? Array("'\\''".utf8) : [$0] } + [0x27]
    }

    // MARK: - One word

    private mutating func told(_ word: [UInt8]) -> [UInt8] {
        if isInEnvironment {
            if let name = Self.variable(word[...], orSmall: true) {
                if Self.plainVariables.contains(String(decoding: name, as: UTF8.self)) { return word }
                return name + [0x3D] + SecretText.hiddenMark
            }
            isInEnvironment = false
        }
        switch String(decoding: option, as: UTF8.self) {
        case "-append": return SecretText.hiddenMark
        case "-fw_cfg": return Self.options(Self.withoutString(word)) { _ in false }
        case "-incoming" where word.starts(with: "exec:".utf8): return Array("exec:".utf8) + SecretText.hiddenMark
        case "-smbios": return Self.options(word) { !["type", "file"].contains($0) }
        case "-prom-env", "-global": return Self.options(word) { $0 != "driver" && $0 != "property" }
        case "-semihosting-config": return Self.options(word) { $0 == "arg" }
        case "-netdev", "-nic", "-net": return Self.options(word) { $0 == "guestfwd" }
        default: return Self.options(word) { _ in false }
        }
    }

    /// `name=opt/x,string=…`: the string is all that follows, whatever commas are in it.
    private static func withoutString(_ word: [UInt8]) -> [UInt8] {
        let parts = parts(of: word)
        let string = parts.firstIndex { $0.starts(with: "string=".utf8) } ?? parts.count - 1
        return Array(parts[...string].joined(separator: [0x2C]))
    }

    /// `NAME` of `NAME=value`. A line does not begin a command because of a name in small letters, which any message may hold.
    private static func variable(_ word: ArraySlice<UInt8>, orSmall: Bool = false) -> [UInt8]? {
        let name = word.prefix { byte in
            (0x41...0x5A).contains(orSmall ? byte & 0xDF : byte) || (0x30...0x39).contains(byte) || byte == 0x5F
        }
        guard let first = name.first, !(0x30...0x39).contains(first), word.dropFirst(name.count).first == 0x3D else {
            return nil
        }
        return Array(name)
    }

    /// `a=1,b=2`, where two commas are one in a value; or the same as JSON.
    /// - Parameter isHidden: names that are secret here, besides those that are everywhere.
    private static func options(_ word: [UInt8], _ isHidden: (String) -> Bool) -> [UInt8] {
        if let plain = json(word[...]) { return plain }
        return Array(
            parts(of: word).map { part -> [UInt8] in
                guard let equals = part.firstIndex(of: 0x3D) else { return part }
                let (name, value) = (part[..<equals], part[(equals + 1)...])
                let last = name.split(separator: 0x2E).last ?? name
                if SecretText.isSecret(last) || isHidden(String(decoding: name, as: UTF8.self)) {
                    return Array(name) + [0x3D] + SecretText.hiddenMark
                }
                guard value.starts(with: "json:".utf8), let plain = json(single(value.dropFirst(5))) else {
                    return part
                }
                return part[...equals] + Array("json:".utf8) + plain.flatMap { $0 == 0x2C ? [0x2C, 0x2C] : [$0] }
            }.joined(separator: [0x2C]))
    }

    private static func parts(of word: [UInt8]) -> [[UInt8]] {
        var parts: [[UInt8]] = [[]]
        var place = 0
        while place < word.count {
            let isDouble = word[place] == 0x2C && place + 1 < word.count && word[place + 1] == 0x2C
            if word[place] == 0x2C, !isDouble {
                parts.append([])
            } else {
                parts[parts.count - 1].append(word[place])
                if isDouble { parts[parts.count - 1].append(0x2C) }
            }
            place += isDouble ? 2 : 1
        }
        return parts
    }

    /// A value with its doubled commas as one.
    private static func single(_ value: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var isSecond = false
        return value.filter { byte in
            isSecond = byte == 0x2C && !isSecond
            return byte != 0x2C || isSecond
        }[...]
    }

    /// An object without its secrets; nil for what is none. One that holds none comes back as it was written.
    private static func json(_ word: ArraySlice<UInt8>) -> [UInt8]? {
        guard word.first == 0x7B, let value = try? JSONParser.parse(word, limits: .local) else { return nil }
        let plain = told(value)
        return plain == value ? Array(word) : plain.asObject?.encoded
    }

    private static func told(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(let object):
            .object(
                JSONObject(
                    object.members.map { member in
                        let isHidden = SecretText.isSecret(Array(member.key.utf8)) && member.value.asObject == nil
                        return (member.key, isHidden ? "[hidden]" : told(member.value))
                    }))
        case .array(let items): .array(items.map(told))
        case .string(let text):
            .string(String(decoding: SecretText.hidden(in: Array(text.utf8)), as: UTF8.self))
        default: value
        }
    }
}
