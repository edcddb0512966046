import Dispatch
import DriverKit
import Glibc
import Model
import WireProtocol

/// Modes of a site's files.
extension CloudPanelDriver {
    func resetPermissions(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let domain = try reader.string("domain")
        let modes = FileModes(
            folders: try reader.mode("directories"), files: try reader.mode("files"))
        let below = try reader.optionalString("path")
        try reader.finish()
        try call.concerns("site/\(domain)")
        return try await gate.pass { () throws(DriverError) in
            let site = try await database.requireSite(domain)
            let path = try place(of: site, below: below ?? "")
            let before = await modes.differing(in: path)
            let observed: JSONObject = [
                "domain": .string(domain), "path": .string(path), "directories": .string(modes.foldersText),
                "files": .string(modes.filesText),
            ]
            if before == 0 { return .seen(observed) }
            let answer = try await tool.call(
                "system:permissions:reset",
                [("directories", modes.foldersText), ("files", modes.filesText), ("path", path)])
            let after = await modes.differing(in: path)
            if after > 0 {
                throw answer.failure("\(after) files and folders have other modes").afterChange()
            }
            return ActionOutcome(changed: true, observed: observed)
        }
    }

    /// The folder below the site's, as it is without links: a tenant may have put one there that leads out.
    private func place(of site: PanelSite, below: String) throws(DriverError) -> String {
        let home = "\(places.home(site.user))/htdocs"
        guard let base = Self.real(home), let path = Self.real("\(home)/\(site.domain)\(below)") else {
            throw DriverError(.notFound, "site \(site.domain) has no folder \(below)")
        }
        guard path.hasPrefix("\(base)/"), !path.contains(where: { " `$\\\"'()".contains($0) }) else {
            throw DriverError(.conflict, "\(path) is not below the site's folder, or not to be named to the tool")
        }
        return path
    }

    private static func real(_ path: String) -> String? {
        guard let found = realpath(path, nil) else { return nil }
        defer { free(found) }
        return String(cString: found)
    }
}

/// What the modes of folders and files are to be.
struct FileModes: Sendable {
    let folders: mode_t
    let files: mode_t

    var foldersText: String { String(folders, radix: 8) }
    var filesText: String { String(files, radix: 8) }

    /// How many files and folders have another mode; links have none of their own.
    func differing(in path: String) async -> Int {
        await withCheckedContinuation { done in
            DispatchQueue.global().async { done.resume(returning: count(path, depth: 0)) }
        }
    }

    private func count(_ path: String, depth: Int) -> Int {
        var status = stat()
        guard depth < 256, lstat(path, &status) == 0 else { return 0 }
        switch status.st_mode & S_IFMT {
        case S_IFDIR:
            let own = status.st_mode & 0o777 == folders ? 0 : 1
            return Files.names(in: path).reduce(own) { $0 + count("\(path)/\($1)", depth: depth + 1) }
        case S_IFREG: return status.st_mode & 0o777 == files ? 0 : 1
        default: return 0
        }
    }
}

extension ArgumentReader {
    /// `770`: three octal digits.
    fileprivate mutating func mode(_ key: String) throws(DriverError) -> mode_t {
        mode_t(try string(key), radix: 8) ?? 0
    }
}
