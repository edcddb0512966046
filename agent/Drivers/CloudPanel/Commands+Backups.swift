import DriverKit
import Glibc
import Model
import Processes
import WireProtocol

/// Backups of sites: the account's home and a dump of each database, in a folder of root's. What lies in the home is the tenant's,
/// links included: it is packed and unpacked as the tenant, so that nothing leads out of what is his.
extension CloudPanelDriver {
    func backUpSite(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let domain = try reader.string("domain")
        let backup = SiteBackup(name: try reader.string("backup"), in: places.backups)
        try reader.finish()
        try call.concerns("site/\(domain)")
        return try await gate.pass { () throws(DriverError) in
            let site = try await database.requireSite(domain)
            if let there = backup.contents {
                guard there["domain"]?.asString == domain else {
                    throw DriverError(.conflict, "the backup \(backup.name) is there already and is another site's")
                }
                return .seen(backup.json(there))
            }
            // What an attempt has left that was cut off.
            try backup.clear(backup.unfinished)
            try Files.makeFolder(backup.unfinished)
            do throws(DriverError) {
                try await pack(site, into: "\(backup.unfinished)/\(SiteBackup.files)")
                var names: [String] = []
                for one in try await database.databases() where one.domain == domain {
                    try await dump(one.name, into: backup.unfinished)
                    names.append(one.name)
                }
                let contents = backup.manifest(site, names, call.mark, at: .now())
                try Files.write(
                    JSONValue.object(contents).encoded, to: "\(backup.unfinished)/\(SiteBackup.list)", mode: 0o600)
                guard rename(backup.unfinished, backup.path) == 0 else { throw .cannotWrite(backup.path) }
                return ActionOutcome(changed: true, observed: backup.json(contents))
            } catch {
                try? backup.clear(backup.unfinished)
                throw error
            }
        }
    }

    /// In place, or into another site. `databases` says into which database each dump goes: `from:to`; those that it does not name go
    /// into those that they are of.
    func restoreSite(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let domain = try reader.string("domain")
        let backup = SiteBackup(name: try reader.string("backup"), in: places.backups)
        let pairs = try reader.strings("databases") ?? []
        try reader.finish()
        try call.concerns("site/\(domain)")
        let renamed = Dictionary(
            pairs.compactMap { pair in
                let parts = pair.split(separator: ":").map(String.init)
                return parts.count == 2 ? (parts[0], parts[1]) : nil
            }, uniquingKeysWith: { first, _ in first })
        return try await gate.pass { () throws(DriverError) in
            let site = try await database.requireSite(domain)
            guard let contents = backup.contents, let from = contents["domain"]?.asString else {
                throw DriverError(.notFound, "there is no backup \(backup.name)")
            }
            let names = contents["databases"]?.asArray?.compactMap(\.asString) ?? []
            let own = Set(try await database.databases().filter { $0.domain == domain }.map(\.name))
            // All is looked at before anything is changed.
            for name in names where !own.contains(renamed[name] ?? name) {
                throw DriverError(
                    .conflict, "\(domain) has no database \(renamed[name] ?? name) for the dump of \(name)")
            }
            try await verifyFiles(of: backup)
            for name in names { try await verify(backup.dump(name), at: backup.dump(name).path) }
            do throws(DriverError) {
                try await unpack(backup, from: from, into: site)
                for name in names { try await load(backup.dump(name), into: renamed[name] ?? name) }
            } catch { throw error.afterChange() }
            return ActionOutcome(changed: true, observed: describe(site))
        }
    }

    func listBackups(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        try ArgumentReader(call.arguments).finish()
        let found = Files.names(in: places.backups).filter(Grammar.fileName.accepts).sorted().compactMap { name in
            let backup = SiteBackup(name: name, in: places.backups)
            return backup.contents.map { JSONValue.object(backup.json($0)) }
        }
        return .seen(["backups": .array(found)])
    }

    func deleteBackup(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let backup = SiteBackup(name: try reader.string("backup"), in: places.backups)
        try reader.finish()
        try call.concerns("backup/\(backup.name)")
        let wasThere = Files.exists(backup.path)
        for folder in [backup.unfinished, backup.path] { try backup.clear(folder) }
        return ActionOutcome(changed: wasThere, observed: ["backup": .string(backup.name), "present": false])
    }

    // MARK: databases

    private func dump(_ name: String, into folder: String) async throws(DriverError) {
        let dump = Dump(name: "\(name).sql.gz", in: folder)
        let answer = try await tool.call("db:export", [("databaseName", name), ("file", dump.path)])
        if let error = answer.error { throw error }
        // "Has been exported" is said of an empty file, too.
        try await verify(dump, at: dump.path)
        chmod(dump.path, 0o600)
    }

    private func load(_ dump: Dump, into name: String) async throws(DriverError) {
        let answer = try await tool.call("db:import", [("databaseName", name), ("file", dump.path)])
        if let error = answer.error { throw error }
        let complaints = answer.text.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("ERROR ") }
        if let first = complaints.first {
            throw DriverError(
                .failed, "\(complaints.count) statements of the dump of \(name) failed",
                cause: String(first.prefix(300)))
        }
        guard answer.text.contains("has been imported") else {
            throw answer.failure("it does not say that the dump was read")
        }
    }

    // MARK: files

    /// What is made anew, or grows without end, stays out.
    private static let left = ["./logs", "./tmp", "./backups", "./.innkeeper-restore"]

    private func pack(_ site: PanelSite, into path: String) async throws(DriverError) {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw .cannotWrite(path) }
        defer { close(file) }
        let excluded = Self.left.map { "--exclude=\($0)" }
        let outcome = try await PanelTool.run(
            tenant(
                site,
                ["tar", "--create", "--gzip", "--one-file-system"] + excluded
                    + ["--directory", places.home(site.user), "."]),
            onOutput: { stream, bytes async throws(CancellationError) in
                // A full disk shows itself: what is not whole is not a backup.
                if stream == .stdout { _ = Files.writeAll(bytes, to: file) }
            })
        // 1 is what changed while it was read.
        guard outcome.ended == .itself, [.code(0), .code(1)].contains(outcome.exit) else {
            throw Self.failure("the files of \(site.domain) could not be packed", outcome)
        }
        guard fsync(file) == 0 else { throw .cannotWrite(path) }
        try await verifyFiles(at: path)
    }

    private func verifyFiles(of backup: SiteBackup) async throws(DriverError) {
        try await verifyFiles(at: "\(backup.path)/\(SiteBackup.files)")
    }

    /// Reads it to its end.
    private func verifyFiles(at path: String) async throws(DriverError) {
        let outcome = try await PanelTool.run(
            ProcessRequest("tar", ["--list", "--gzip", "--file", path], outputLimit: 4096))
        guard outcome.ended == .itself, outcome.exit == .code(0) else {
            throw Self.failure("the files of the backup are not whole", outcome)
        }
    }

    private func unpack(
        _ backup: SiteBackup, from: String, into site: PanelSite
    ) async throws(DriverError) {
        let home = places.home(site.user)
        let stage = "\(home)/.innkeeper-restore"
        try await run(site, ["rm", "-rf", "--", stage])
        try await run(site, ["mkdir", "--", stage])
        let path = "\(backup.path)/\(SiteBackup.files)"
        let outcome = try await PanelTool.run(
            tenant(
                site, ["tar", "--extract", "--gzip", "--no-same-owner", "--directory", stage],
                input: .stream(try Self.chunks(of: path))))
        guard outcome.ended == .itself, outcome.exit == .code(0) else {
            throw Self.failure("the files of the backup could not be unpacked", outcome)
        }
        if from != site.domain {
            try await run(site, ["mv", "-T", "--", "\(stage)/htdocs/\(from)", "\(stage)/htdocs/\(site.domain)"])
        }
        try await run(site, ["rm", "-rf", "--", "\(home)/htdocs/\(site.domain)"])
        try await run(
            site, ["mv", "-T", "--", "\(stage)/htdocs/\(site.domain)", "\(home)/htdocs/\(site.domain)"])
        try await run(site, ["cp", "-a", "--", "\(stage)/.", home])
        try await run(site, ["rm", "-rf", "--", stage])
    }

    private func run(_ site: PanelSite, _ words: [String]) async throws(DriverError) {
        let outcome = try await PanelTool.run(tenant(site, words))
        guard outcome.ended == .itself, outcome.exit == .code(0) else {
            throw Self.failure("\(words[0]) did not do its part for \(site.domain)", outcome)
        }
    }

    private func tenant(
        _ site: PanelSite, _ words: [String], input: ProcessRequest.Input = .none
    ) -> ProcessRequest {
        ProcessRequest(
            places.program("runuser"), ["-u", site.user, "--"] + words, workingDirectory: "/", standardInput: input,
            outputLimit: 16 << 10)
    }

    private static func failure(_ message: String, _ outcome: ProcessOutcome) -> DriverError {
        guard outcome.ended == .itself else { return DriverError(.cancelled, message) }
        return DriverError(.failed, message, retryable: true, cause: String(outcome.errorText.prefix(300)))
    }

    /// As they are asked for.
    private static func chunks(of path: String) throws(DriverError) -> AsyncStream<[UInt8]> {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { throw DriverError(.notFound, "the files of the backup are not there") }
        let reader = FileReader(file)
        return AsyncStream(unfolding: { reader.next() })
    }
}

/// A file that is closed when nobody reads it any more.
private final class FileReader: Sendable {
    private let file: Int32
    init(_ file: Int32) { self.file = file }
    deinit { close(file) }

    func next() -> [UInt8]? {
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        let count = read(file, &piece, piece.count)
        return count > 0 ? Array(piece[..<count]) : nil
    }
}

/// A backup by its folder.
struct SiteBackup: Sendable, Hashable {
    let name: String
    let folder: String

    init(name: String, in folder: String) { (self.name, self.folder) = (name, folder) }

    static let (files, list) = ("files.tar.gz", "contents.json")
    var path: String { "\(folder)/\(name)" }
    var unfinished: String { "\(folder)/.unfinished-\(name)" }
    func dump(_ database: String) -> Dump { Dump(name: "\(database).sql.gz", in: path) }

    /// What it says of itself; nil where there is no whole one.
    var contents: JSONObject? {
        Files.bytes("\(path)/\(Self.list)").flatMap { (try? JSONParser.parse($0[...], limits: .local))?.asObject }
    }

    func manifest(_ site: PanelSite, _ databases: [String], _ mark: Mark?, at time: Timestamp) -> JSONObject {
        var json: JSONObject = [
            "domain": .string(site.domain), "user": .string(site.user), "made": .integer(time.milliseconds),
            "databases": .array(databases.map { .string($0) }),
        ]
        json["service"] = mark.map { .string($0.service) }
        return json
    }

    func json(_ contents: JSONObject) -> JSONObject {
        var size: Int64 = 0
        for name in Files.names(in: path) {
            var status = stat()
            if lstat("\(path)/\(name)", &status) == 0 { size += Int64(status.st_size) }
        }
        var json = contents
        (json["backup"], json["size_bytes"]) = (.string(name), .integer(size))
        return json
    }

    /// Removes a folder of ours: files without folders below.
    func clear(_ folder: String) throws(DriverError) {
        for name in Files.names(in: folder) { Files.remove("\(folder)/\(name)") }
        guard rmdir(folder) == 0 || errno == ENOENT else { throw .cannotWrite(folder) }
    }
}
