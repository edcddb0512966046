import DriverKit
import Model
import WireProtocol

/// A container as a call asks for it.
struct Creation: Sendable {
    struct Disk: Sendable {
        let storage: String
        let gib: Int64
        /// Nil for the root.
        let path: String?

        init(_ object: JSONObject, hasPath: Bool) throws(DriverError) {
            var reader = ArgumentReader(object)
            storage = try reader.text("storage", .storage)
            gib = try reader.integer("size_gib", in: 1...131_072)
            path = hasPath ? try reader.text("path", .mountPoint) : nil
            try reader.finish()
        }
    }

    let vmid: Int
    let template: String
    let root: Disk
    let mounts: [Disk]
    let settings: GuestSettings
    let keys: [String]
    let owner: String?
    let starts: Bool
    private let isUnprivileged: Bool

    init(_ call: OperationCall) throws(DriverError) {
        var reader = ArgumentReader(call.arguments)
        vmid = try reader.vmid(of: call)
        template = try reader.text("template", .template)
        guard let root = try reader.object("rootfs") else { throw .invalidArgument("rootfs", "is missing") }
        self.root = try Disk(root, hasPath: false)
        mounts = try (reader.objects("mounts", limit: 32) ?? []).map { object throws(DriverError) in
            try Disk(object, hasPath: true)
        }
        settings = try GuestSettings(&reader)
        keys = try reader.texts("ssh_keys", .publicKey) ?? []
        owner = try reader.optionalName("owner", .identifier)
        starts = try reader.bool("start", default: false)
        isUnprivileged = try reader.bool("unprivileged", default: true)
        try reader.finish()
        guard settings.options.contains(where: { $0.name == "hostname" }) else {
            throw .invalidArgument("hostname", "is missing")
        }
    }

    /// Bytes that it takes of each storage.
    var sizes: [String: Int64] {
        Dictionary((mounts + [root]).map { ($0.storage, $0.gib << 30) }, uniquingKeysWith: +)
    }

    /// The line of the description by which the container is known as ours.
    static func mark(owner: String?, command: String) -> String {
        "innkeeper" + (owner.map { " owner=\($0)" } ?? "") + " command=\(command)"
    }

    func words(command: String, keyFile: String?) -> [String] {
        var words = ["create", "\(vmid)", template, "--rootfs", root.text]
        for (place, mount) in mounts.enumerated() { words += ["--mp\(place)", mount.text] }
        words += ["--unprivileged", isUnprivileged ? "1" : "0"] + settings.creationWords
        words += ["--description", Self.mark(owner: owner, command: command)]
        return words + (keyFile.map { ["--ssh-public-keys", $0] } ?? [])
    }
}
