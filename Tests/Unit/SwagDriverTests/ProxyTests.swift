import DriverKit
import Glibc
import SwagDriver
import TestSupport
import Testing
import WireProtocol

/// Proxy configurations before a real nginx.
@Suite(.serialized) struct ProxyTests {
    @Test func `a name is published, found so, changed and taken back`() async throws {
        let site = try await ProxySite()
        #expect(try await site.status("shop.example.org") == "404")
        // An upstream at a closed port of this network answers 502 at once.
        let order = ProxySite.order("shop", ["Shop.example.org"], ["service": "svc_1"])
        let first = try await site.perform("config.ensure", order)
        #expect(first.changed)
        #expect(first.observed["server_names"] == ["shop.example.org"])
        #expect(try await site.status("shop.example.org") != "404")
        #expect(try await !site.perform("config.ensure", order).changed)
        #expect(site.names() == ["app.subdomain.conf.sample", "shop.subdomain.conf"])
        let listed = try await site.perform("config.list", ["samples": true]).observed
        #expect(listed["configurations"]?.asArray?.first?["service"] == "svc_1")
        #expect(listed["samples"] == ["app.subdomain.conf.sample"])
        #expect(
            try await site.perform("config.ensure", ProxySite.order("shop", ["www.example.org"], ["service": "svc_1"]))
                .changed)
        #expect(try await site.status("shop.example.org") == "404")
        #expect(try await site.perform("config.remove", ["name": "shop"]).changed)
        #expect(try await !site.perform("config.remove", ["name": "shop"]).changed)
        #expect(try await site.status("www.example.org") == "404")
        #expect(site.names() == ["app.subdomain.conf.sample"])
        await site.stop()
    }

    @Test func `what nginx does not take goes back out`() async throws {
        let site = try await ProxySite()
        try await site.perform("config.ensure", ProxySite.order("shop", ["shop.example.org"]))
        let before = site.content("shop.subdomain.conf")
        for broken in ["server { server_name shop.example.org", "server { listen 443 ssl; nonsense on; }", "}"] {
            let error = await site.failure(
                "config.write", ["file": "shop.subdomain.conf", "content": .string(broken), "overwrite": true])
            #expect(error?.code == .invalidArgument, "\(String(describing: error))")
            #expect(site.content("shop.subdomain.conf") == before)
        }
        let new = await site.failure("config.write", ["file": "new.subdomain.conf", "content": "server {"])
        #expect(new?.code == .invalidArgument)
        #expect(site.names() == ["app.subdomain.conf.sample", "shop.subdomain.conf"])
        #expect(try await site.perform("config.check").observed["valid"] == true)
        #expect(try await site.status("shop.example.org") != "404")
        await site.stop()
    }

    @Test func `what nginx's master cannot apply goes back out too`() async throws {
        let site = try await ProxySite()
        // The check passes over an address in use, and the signal is sent all the same.
        let holder = try site.hold(8443)
        let error = await site.failure(
            "config.write",
            ["file": "far.subdomain.conf", "content": "server { listen 8443; server_name far.example.org; }"])
        #expect(error?.code == .failed, "\(String(describing: error))")
        await holder.stop()
        #expect(site.content("far.subdomain.conf") == nil)
        await site.stop()
    }

    @Test func `a name that another file has is refused`() async throws {
        let site = try await ProxySite()
        try await site.perform("config.ensure", ProxySite.order("shop", ["shop.example.org"]))
        for taken in ["shop.example.org", "SHOP.example.org", "taken.example.org"] {
            let error = await site.failure("config.ensure", ProxySite.order("aa-thief", ["own.example.org", taken]))
            #expect(error?.code == .conflict)
        }
        let raw = await site.failure(
            "config.write",
            ["file": "aa.subdomain.conf", "content": "server { listen 443 ssl; server_name \"shop.example.org\" ; }"])
        #expect(raw?.code == .conflict)
        #expect(site.names() == ["app.subdomain.conf.sample", "shop.subdomain.conf"])
        await site.stop()
    }

    @Test func `files of others are neither changed nor removed`() async throws {
        let site = try await ProxySite()
        let theirs =
            "server { listen 443 ssl; include \(site.folder.path)/nginx/ssl.conf; server_name mine.example.org; }\n"
        try site.folder.write(Array(theirs.utf8), to: "nginx/proxy-confs/mine.subdomain.conf")
        #expect(await site.failure("config.ensure", ProxySite.order("mine", ["x.example.org"]))?.code == .foreign)
        #expect(await site.failure("config.remove", ["name": "mine"])?.code == .foreign)
        #expect(
            await site.failure("config.write", ["file": "mine.subdomain.conf", "content": "server {}"])?.code
                == .conflict)
        #expect(site.content("mine.subdomain.conf") == theirs)
        try await site.perform("config.ensure", ProxySite.order("shop", ["shop.example.org"], ["service": "svc_1"]))
        let other = ProxySite.order("shop", ["shop.example.org"], ["service": "svc_2"])
        #expect(await site.failure("config.ensure", other)?.code == .foreign)
        #expect(await site.failure("config.remove", ["name": "shop", "service": "svc_2"])?.code == .foreign)
        await site.stop()
    }

    @Test func `a file that somebody else broke is named, and ours stays out`() async throws {
        let site = try await ProxySite()
        try site.folder.write(Array("server {".utf8), to: "nginx/proxy-confs/bad.subdomain.conf")
        let error = await site.failure("config.ensure", ProxySite.order("shop", ["shop.example.org"]))
        #expect(error?.code == .conflict)
        #expect(error?.message.contains("bad.subdomain.conf") == true)
        #expect(site.content("shop.subdomain.conf") == nil)
        let checked = try await site.perform("config.check").observed
        #expect(checked["valid"] == false)
        #expect(checked["file"] == "bad.subdomain.conf")
        // Removing the broken file itself is possible.
        #expect(try await site.perform("config.remove", ["name": "bad", "unmanaged": true]).changed)
        await site.stop()
    }

    @Test func `a sample becomes a file with the names and the upstream asked for`() async throws {
        let site = try await ProxySite()
        try await site.perform(
            "config.ensure", ProxySite.order("app1", ["one.example.org"], ["sample": "app", "protocol": "https"]))
        let text = try #require(site.content("app1.subdomain.conf"))
        #expect(text.contains("server_name one.example.org;") && text.contains("set $upstream_app 192.0.2.10;"))
        #expect(text.contains("set $upstream_proto https;") && text.contains("X-Sample") && !text.contains("app.*"))
        #expect(
            await site.failure("config.ensure", ProxySite.order("shop", ["x.example.org"], ["sample": "none"]))?.code
                == .notFound)
        await site.stop()
    }

    @Test func `an exchange that nobody ended is undone at the next order`() async throws {
        let site = try await ProxySite()
        try await site.perform("config.ensure", ProxySite.order("shop", ["shop.example.org"]))
        let before = try #require(site.content("shop.subdomain.conf"))
        // What a dead agent leaves: the old file kept aside, a broken one in its place, and a broken new one.
        for (name, text) in [
            ("shop.subdomain.conf.innkeeper-old", before), ("shop.subdomain.conf", "server {"),
            ("new.subdomain.conf", "server {"), ("new.subdomain.conf.innkeeper-none", ""),
            ("other.subdomain.conf.innkeeper-next", "serv"),
        ] { try site.folder.write(Array(text.utf8), to: "nginx/proxy-confs/\(name)") }
        await site.driver.recover([])
        #expect(site.content("shop.subdomain.conf") == before)
        #expect(site.names() == ["app.subdomain.conf.sample", "shop.subdomain.conf"])
        await site.stop()
    }
}
