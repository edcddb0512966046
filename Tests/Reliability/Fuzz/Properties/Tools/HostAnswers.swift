import Glibc
import Model
import WireProtocol

@testable import HostDriver

/// What the programs of any machine print, and the kernel's tables of sockets and drives.
enum HostAnswers {
    static let targets = [
        FuzzTarget("host-tools") { input in
            try drive(input)
            try sockets(input)
            try packages(input)
            try releases(text(input))
        },
        FuzzTarget("host-logs") { input in
            for line in input.split(separator: 0x0A).prefix(64) { try entry(text(line)) }
            guard let object = try? JSONParser.parse(input, limits: .local).asObject else { return }
            try told(LogEntry(journal: object))
        },
    ]

    private static func drive(_ input: UnsafeRawBufferPointer) throws {
        var scanner = ByteScanner(input)
        if let counters = DriveCounters(&scanner) { try carried(counters.json) }
        guard let object = try? JSONParser.parse(input, limits: .local).asObject else { return }
        let report = SmartReport(object)
        try require(report.problems.count <= 110, "\(report.problems.count) problems of one drive")
        switch report.verdict {
        case .well: try require(report.problems.isEmpty, "well with problems")
        case .worn: try require(!report.problems.isEmpty, "worn without a sign of it")
        case .failing, .asleep, .unknown: break
        }
        try carried(report.json(withAttributes: true))
        let few = Set(report.json(withAttributes: false).keys)
        try require(few.isSubset(of: report.json(withAttributes: true).keys), "more when less was asked for")
    }

    private static func sockets(_ input: UnsafeRawBufferPointer) throws {
        for transport in ListeningPort.Transport.allCases {
            var scanner = ByteScanner(input)
            let ports = ListeningPort.parse(&scanner, transport)
            try require(ports.count <= lineCount(input), "more sockets than lines")
            for port in ports {
                var address = [UInt8](repeating: 0, count: 16)
                let isAddress = [AF_INET, AF_INET6].contains { inet_pton($0, port.address, &address) == 1 }
                try require(isAddress && port.port > 0, "no address: \(port.address)")
            }
        }
    }

    private static func packages(_ input: UnsafeRawBufferPointer) throws {
        let updates = PackageUpdate.parse(text(input))
        try require(updates.count <= lineCount(input), "more updates than lines")
        for update in updates {
            try require(!update.name.contains(" ") && !update.available.contains(" "), "an odd update: \(update)")
            try carried(update.json)
        }
        if let system = OperatingSystem(text(input)) { try carried(system.json) }
        let words = HostTools.lastWords(ended(input)) ?? ""
        try require(words.unicodeScalars.count <= 1800, "last words of \(words.unicodeScalars.count)")
    }

    private static func releases(_ text: String) throws {
        let releases = text.split(separator: "\n").prefix(8).map(String.init)
        for one in releases {
            try require(!KernelRelease.isOlder(one, than: one), "\(one) is older than itself")
            for other in releases where KernelRelease.isOlder(one, than: other) {
                try require(!KernelRelease.isOlder(other, than: one), "\(one) and \(other) are older than each other")
            }
        }
        guard let first = releases.first else { return }
        let newest = KernelRelease.newest(of: releases, like: first)
        try require(newest.map { releases.contains($0) } ?? false, "the newest is none of them")
        try require(!KernelRelease.isOlder(newest ?? "", than: first), "the newest is older than the running one")
    }

    // MARK: - Logs

    private static func entry(_ line: String) throws {
        let entry = LogEntry(file: line, now: 1_795_000_000_000)
        try require((entry.message ?? "").utf8.count <= line.utf8.count, "a message grows")
        try require((entry.unit ?? "").utf8.count <= line.utf8.count, "a unit grows")
        try told(entry)
        var tally = LogTally()
        tally.count(entry)
        try carried(tally.json)
    }

    /// One line, however it was made.
    private static func told(_ entry: LogEntry) throws {
        let line = entry.line
        try require(line.last == 0x0A && line.dropLast().allSatisfy { $0 >= 0x20 }, "an entry of several lines")
        let read = try? JSONParser.parse(line.dropLast(), limits: .local)
        try require(read?["message"] == entry.message.map(JSONValue.string) ?? .null, "a message changes on its way")
    }
}
