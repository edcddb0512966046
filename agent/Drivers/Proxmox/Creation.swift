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
            storage = try reader.string("storage")
            gib = try reader.integer("size_gib")
            path = hasPath ? try reader.string("path") : nil
            try reader.finish()
        }

        /// Whether a disk of a container is this one, in place and size.
        func isMet(by text: String?) -> Bool {
            isHeld(by: text) && PropertyText(text ?? "")["size"].flatMap(SizeText.bytes) == gib << 30
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
    let isUnprivileged: Bool

    init(_ call: ActionCall) throws(DriverError) {
        var reader = ArgumentReader(call.arguments)
        vmid = try reader.vmid(of: call)
        template = try reader.string("template")
        guard let root = try reader.object("rootfs") else { throw .invalidArgument("rootfs", "is missing") }
        self.root = try Disk(root, hasPath: false)
        mounts = try (reader.objects("mounts") ?? []).map { object throws(DriverError) in
            try Disk(object, hasPath: true)
        }
        settings = try GuestSettings(&reader)
        keys = try reader.strings("ssh_keys") ?? []
        let named = try reader.optionalString("owner")
        owner = call.mark?.service ?? named
        starts = try reader.bool("start")
        isUnprivileged = try reader.bool("unprivileged")
        try reader.finish()
        guard settings.options.contains(where: { $0.name == "hostname" }) else {
            throw .invalidArgument("hostname", "is missing")
        }
    }

    /// Bytes that it takes of each storage.
    var sizes: [String: Int64] {
        Dictionary((mounts + [root]).map { ($0.storage, $0.gib << 30) }, uniquingKeysWith: +)
    }

    /// What a container has otherwise than asked for. Only what is in force counts.
    func differences(from found: Guest) -> [String] {
        let plan = settings.plan(in: found.config)
        var names = plan.settings.filter { $0.hasPrefix("--") }.map { String($0.dropFirst(2)) } + plan.waiting
        names += plan.reverts
        if !root.isMet(by: found.config["rootfs"]) { names.append("rootfs") }
        let disks = found.config.numbered("mp").map(\.key)
        let isThere = { (mount: Disk) in disks.contains { mount.isMet(by: found.config[$0]) } }
        if !mounts.allSatisfy(isThere) { names.append("mounts") }
        if (found.config["unprivileged"] == "1") != isUnprivileged { names.append("unprivileged") }
        return names
    }

    func words(command: String, keyFile: String?) -> [String] {
        var words = ["create", "\(vmid)", template, "--rootfs", root.text]
        for (place, mount) in mounts.enumerated() { words += ["--mp\(place)", mount.text] }
        words += ["--unprivileged", isUnprivileged ? "1" : "0"] + settings.creationWords
        words += ["--description", GuestMark(service: owner, nonce: command, vmid: vmid).line]
        return words + (keyFile.map { ["--ssh-public-keys", $0] } ?? [])
    }
}
