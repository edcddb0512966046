import Testing
import WireProtocol

@testable import ZFSDriver

@Suite struct ParsingTests {
    @Test func `properties are read by tabs, with spaces in names and values`() {
        let text = "tank/a b\tused\t100\t-\ntank/a b\tmountpoint\t/my data\tinherited from tank\ntank/c\tused\t-\t-\n"
        let found = ZFSObject.parse(text)
        #expect(found.map(\.name) == ["tank/a b", "tank/c"])
        #expect(found[0].number("used") == 100)
        #expect(found[0].text("mountpoint") == "/my data")
        #expect(found[0].properties["mountpoint"]?.source == "inherited from tank")
        #expect(found[1].text("used") == nil)
        #expect(found[1].json["used_bytes"] == nil)
    }

    @Test func `lines that are not four columns are left out`() {
        let text = "tank/a\tuser:note\tfirst line\nsecond\tline\tlocal\ntank/a\tused\t5\t-\n\n\t\n"
        #expect(ZFSObject.parse(text).map(\.name) == ["tank/a"])
        #expect(ZFSObject.parse(text)[0].number("used") == 5)
    }

    @Test func `an inherited owner is no owner`() {
        let owner = ZFSObject.ownerProperty
        #expect(ZFSObject.parse("tank/a\t\(owner)\tsvc1\tlocal\n")[0].owner == "svc1")
        #expect(ZFSObject.parse("tank/a\t\(owner)\tsvc1\tinherited from tank\n")[0].owner == nil)
        #expect(ZFSObject.parse("tank/a\t\(owner)\t-\t-\n")[0].owner == nil)
    }

    @Test(
        arguments: [
            ("0", 0), ("1048576", 1_048_576), ("1K", 1024), ("250M", 262_144_000), ("1.50G", 1_610_612_736),
            ("2T", 2_199_023_255_552), ("1P", 1_125_899_906_842_624),
        ] as [(String, Int64)])
    func `exact and rounded sizes are read`(_ text: String, _ bytes: Int64) {
        #expect(ZFSSize.parse(text) == bytes)
    }

    @Test(arguments: ["", "-", "K", "x1", "1X", "-1K", "nanK", "infG", "11.7E", "99999E", "1e400K"])
    func `what is no size is none`(_ text: String) {
        #expect(ZFSSize.parse(text) == nil)
    }

    @Test func `pools of old and new tools are read`() {
        let new = ZFSPool.parse("tank\t1000\t400\t600\t40\tONLINE\n")
        let old = ZFSPool.parse("tank\t1000\t400\t600\t40%\tONLINE\n")
        #expect(new == old)
        #expect(new.first?.freeBytes == 600)
        #expect(ZFSPool.parse("\n").isEmpty)
        #expect(ZFSPool.parse("tank\tbroken").isEmpty)
    }

    @Test func `a value that looks like another dataset's line makes nobody its owner`() {
        let forged = "x\ntank/b\tinnkeeper:owner\tthief\tlocal\n"
        for real in [["tank/b\tinnkeeper:owner\tme\tlocal\n", ""], ["", "tank/b\tinnkeeper:owner\tme\tlocal\n"]] {
            let text = "\(real[0])tank/c\tinnkeeper:owner\t\(forged)\tlocal\n\(real[1])tank/b\tused\t5\t-\n"
            let found = ZFSObject.parse(text).first { $0.name == "tank/b" }
            #expect(found?.owner == nil && found?.number("used") == 5)
        }
        #expect(ZFSObject.parse("tank/b\tinnkeeper:owner\tme\tlocal\n").first?.owner == "me")
    }
}
