import DockerDriver
import DriverKit
import Glibc
import Logging
import SwagDriver
import TestSupport
import Testing
import WireProtocol

/// Names that are code, links that lead astray, and an nginx that does anything but its work.
@Suite struct HostileProxyTests {
    static let code: [(String, JSONValue)] = [
        ("upstream", "a;b"), ("upstream", "a b"), ("upstream", "${x}"), ("upstream", "$host"),
        ("upstream", "a{b"), ("upstream", "-a"), ("upstream", ""), ("upstream", "a\nb"), ("upstream", "127.0.0.1"),
        ("upstream", "localhost"), ("upstream", "169.254.169.254"), ("upstream", "0.0.0.0"), ("upstream", "2130706433"),
        ("upstream", "0x7f000001"), ("upstream", "127.1"), ("upstream", "host.docker.internal"),
        ("server_names", ["*.example.org"]), ("server_names", ["app.*"]), ("server_names", ["~^x$"]),
        ("server_names", ["a b.org"]), ("server_names", ["x;.org"]), ("server_names", []), ("server_names", ["one"]),
        ("server_names", ["a.org", "A.org"]), ("server_names", ["10.0.0.1"]), ("port", 0), ("port", 65536),
        ("port", "80; }"), ("protocol", "ftp"), ("access", "../x"), ("name", "../x"), ("name", "a/b"), ("name", "a.b"),
        ("name", "-a"), ("service", "a b"), ("sample", "../../x"), ("body_limit_bytes", -1), ("stranger", 1),
    ]

    @Test(arguments: code)
    func `what would be code is refused before anything is looked at`(key: String, value: JSONValue) async throws {
        let driver = SwagDriver(.command(["/nonexistent/nginx"], folder: "/nonexistent"))
        let call = ActionCall(
            action: "config.ensure", resource: "swag/x",
            arguments: ProxySite.order("shop", ["x.example.org"], [key: value]))
        let error = await #expect(throws: DriverError.self) { try await driver.perform(call, ProxySite.context) }
        #expect(error?.code == .invalidArgument, "\(String(describing: error))")
    }

    @Test(arguments: [
        "../x.subdomain.conf", "a/b.subdomain.conf", ".x.subdomain.conf", "x.conf", "-x.subdomain.conf", "x",
    ])
    func `files elsewhere are neither read nor written`(file: String) async throws {
        let driver = SwagDriver(.command(["/nonexistent/nginx"], folder: "/nonexistent"))
        for (operation, arguments) in [
            ("config.read", ["file": .string(file)] as JSONObject),
            ("config.write", ["file": .string(file), "content": "x"]),
        ] {
            let call = ActionCall(action: operation, resource: "swag/x", arguments: arguments)
            let error = await #expect(throws: DriverError.self) { try await driver.perform(call, ProxySite.context) }
            #expect(error?.code == .invalidArgument)
        }
    }

    @Test func `links that the container has made lead nowhere`() async throws {
        let folder = try ScratchFolder("swag")
        try ProxySite.fill(folder)
        let victim = try folder.write(Array("victim".utf8), to: "victim")
        let place = folder.file("nginx/proxy-confs")
        symlink(victim, "\(place)/shop.subdomain.conf")
        let driver = SwagDriver(.command(["/bin/true"], folder: folder.path))
        func failure(_ operation: String, _ arguments: JSONObject) async -> DriverError? {
            let call = ActionCall(action: operation, resource: "swag/x", arguments: arguments)
            do {
                _ = try await driver.perform(call, ProxySite.context)
                return nil
            } catch { return error }
        }
        #expect(await failure("config.ensure", ProxySite.order("shop", ["x.example.org"]))?.code == .conflict)
        #expect(await failure("config.read", ["file": "shop.subdomain.conf"])?.code == .conflict)
        unlink("\(place)/shop.subdomain.conf")
        rename(place, "\(place)-real")
        mkdir(folder.file("elsewhere"), 0o755)
        symlink(folder.file("elsewhere"), place)
        #expect(await failure("config.ensure", ProxySite.order("shop", ["x.example.org"])) != nil)
        #expect(try folder.read("victim") == Array("victim".utf8))
        #expect(access(folder.file("elsewhere/shop.subdomain.conf"), F_OK) != 0)
    }

    @Test(arguments: [
        ("exit 1", DriverErrorCode.conflict), ("kill -9 $$", .conflict),
        ("yes | head -c 5000000 >&2; exit 1", .conflict),
        ("printf '\\377\\376' >&2; exit 1", .conflict), ("[ \"$1\" = -t ] && exit 0; exit 1", .failed),
    ])
    func `an nginx that fails leaves the folder as it was`(script: String, code: DriverErrorCode) async throws {
        let folder = try ScratchFolder("swag")
        try ProxySite.fill(folder)
        let driver = SwagDriver(.command(["/bin/sh", "-c", script, "nginx"], folder: folder.path))
        let call = ActionCall(
            action: "config.ensure", resource: "swag/x", arguments: ProxySite.order("shop", ["x.example.org"]))
        let error = await #expect(throws: DriverError.self) { try await driver.perform(call, ProxySite.context) }
        #expect(error?.code == code, "\(String(describing: error))")
        #expect(error?.description.utf8.count ?? 0 < 5000)
        #expect(access(folder.file("nginx/proxy-confs/shop.subdomain.conf"), F_OK) != 0)
        #expect(access(folder.file("nginx/proxy-confs/shop.subdomain.conf.innkeeper-none"), F_OK) != 0)
    }

    @Test func `an nginx that hangs is given up when the order is, and the file goes back out`() async throws {
        let folder = try ScratchFolder("swag")
        try ProxySite.fill(folder)
        let mark = folder.file("asked")
        // The check before the change is answered, the one after it is not.
        let script =
            "[ \"$1\" = -s ] && exit 0; [ -e \(mark) ] && { touch \(mark)2; trap '' TERM; sleep 600; }; touch \(mark); exit 0"
        let driver = SwagDriver(.command(["/bin/sh", "-c", script, "nginx"], folder: folder.path))
        let call = ActionCall(
            action: "config.ensure", resource: "swag/x", arguments: ProxySite.order("shop", ["x.example.org"]))
        let running = Task { try await driver.perform(call, ProxySite.context) }
        #expect(await eventually { access("\(mark)2", F_OK) == 0 })
        running.cancel()
        let error = await #expect(throws: DriverError.self) { try await running.value }
        #expect(error?.code == .cancelled)
        #expect(access(folder.file("nginx/proxy-confs/shop.subdomain.conf"), F_OK) != 0)
    }
}
