import WireProtocol

@testable import LibvirtDriver

/// What `virsh` prints, and logs that machines have a hand in.
enum LibvirtAnswers {
    static let targets = [
        FuzzTarget("libvirt") { input in
            try machines(input)
            try states(text(input))
            try log(Array(input))
            try brief(LibvirtFailure.error(ended(input)))
        }
    ]

    private static func machines(_ input: UnsafeRawBufferPointer) throws {
        let machines = Machine.parse(text(input))
        try require(machines.count <= lineCount(input), "more machines than lines")
        for machine in machines {
            let isPlain = machine.id.text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) || byte == 0x2D
            }
            try require(isPlain && MachineID(machine.id.text) == machine.id, "an odd identity: \(machine.id.text)")
            try require(!machine.name.isEmpty && !machine.name.utf8.contains(0x0A), "a name of several lines")
            try carried(machine.json)
        }
        let written = machines.map { "\($0.id.text) \($0.name)\n" }.joined()
        try require(Machine.parse(written) == machines, "machines read back as others")
        var observation = LibvirtObservation()
        try require(observation.update(machines).isEmpty, "news at the first look")
        _ = observation.update(machines)
        try require(observation.all ?? 0 <= Double(machines.count), "more machines than there are")
        try carried(MachineDetails(text(input)).json)
    }

    private static func states(_ text: String) throws {
        let states = MachineState.parse(text)
        for state in states.values {
            try require(!state.word.isEmpty && !state.reasonWord.isEmpty, "a state without a word")
        }
        let written = states.map { name, state in
            "Domain: '\(name)'\n  state.state=\(state.state)\n  state.reason=\(state.reason)\n"
        }
        try require(MachineState.parse(written.joined()) == states, "states read back as others")
    }

    // MARK: - Logs

    private static func log(_ bytes: [UInt8]) throws {
        for since in [nil, 1_683_285_723_043] as [Int64?] {
            let lines = LogLines.last(5, of: bytes, since: since, isWhole: true)
            try require(lines.count <= 5, "\(lines.count) lines of 5")
            for line in lines { try told(line) }
        }
        for line in bytes.split(separator: 0x0A) {
            let hidden = LogLines.hidden(in: text(line))
            try require(LogLines.hidden(in: hidden) == hidden, "hidden twice it is another line")
        }
        if let run = LastRun(in: bytes) {
            try carried(run.json)
            try require((run.reason ?? "").unicodeScalars.count <= 40, "a reason without an end")
        }
    }

    /// Letters of ASCII only: others become them in lower case.
    private static func small(_ line: String) -> String {
        text(line.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 })
    }

    private static func told(_ line: String) throws {
        try require(line.utf8.count <= 16 * LogLines.longest, "a line of \(line.utf8.count) bytes")
        let controls = line.unicodeScalars.contains { $0 != "\t" && $0.properties.generalCategory == .control }
        try require(!controls, "a line with a control character")
        for word in ["password=", "passwd=", "secret=", "token="] {
            for rest in places(of: word, in: small(line)) {
                try require(rest.starts(with: "[hidden]".utf8), "what stands behind \(word) is told: \(line)")
            }
        }
    }
}
