import Testing
import WireProtocol

@Suite struct ResourceFormTests {
    @Test func `a resource follows from the arguments, and these from it`() throws {
        let container = try #require(ResourceForm("proxmox/ct/{vmid}"))
        #expect(container.resource(of: ["vmid": 101]) == "proxmox/ct/101")
        #expect(container.resource(of: ["vmid": "101", "path": "/x"]) == "proxmox/ct/101")
        #expect(container.resource(of: [:]) == nil && container.resource(of: ["vmid": ""]) == nil)
        #expect(container.resource(of: ["vmid": ["101"]]) == nil)
        #expect(container.arguments(of: "proxmox/ct/101")?.map(\.value) == ["101"])
        for other in ["proxmox/ct/", "proxmox/ha/x", "proxmox", ""] { #expect(container.arguments(of: other) == nil) }
        let release = try #require(ResourceForm("helm/{namespace}/{release}"))
        #expect(release.arguments(of: "helm/shop/web")?.map(\.name) == ["namespace", "release"])
        #expect(release.arguments(of: "helm/shop") == nil && release.arguments(of: "helm//web") == nil)
        #expect(release.resource(of: ["namespace": "shop", "release": "web"]) == "helm/shop/web")
        let dataset = try #require(ResourceForm("zfs/{dataset}"))
        #expect(dataset.arguments(of: "zfs/tank/a/b")?.first?.value == "tank/a/b")
        let wrapped = try #require(ResourceForm("a/{x}.conf"))
        #expect(wrapped.arguments(of: "a/b.conf")?.first?.value == "b" && wrapped.arguments(of: "a/b.confx") == nil)
    }

    @Test func `what is no form is none`() {
        for text in ["a/{x", "a/}x", "{x}{y}", "a}{b}"] { #expect(ResourceForm(text) == nil, "\(text)") }
        #expect(ResourceForm("host")?.resource(of: [:]) == "host")
    }
}
