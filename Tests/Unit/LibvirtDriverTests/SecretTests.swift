import DriverKit
import Synchronization
import Testing
import WireProtocol

@testable import LibvirtDriver

/// Every form in which QEMU and libvirt write down what is secret, as a log shows it and as it may leave the node.
@Suite struct SecretTests {
    /// What a log holds and what is sent of it.
    static func shown(_ log: String, last lines: Int = 1000) async throws -> String {
        let host = try LibvirtHost()
        try host.log("qemu/web.log", log + "\n")
        try await host.perform("vm.logs", ["vm": "web", "lines": .integer(Int64(lines))])
        return String(host.sent.withLock { $0 }.dropLast())
    }

    static let words: [(String, String)] = [
        (
            "-object secret,id=s0,data=QUJD,keyid=m,format=base64",
            "-object secret,id=s0,data=[hidden],keyid=m,format=base64"
        ),
        (
            #"-object '{"qom-type":"secret","id":"s","data":"9eao5F8q","format":"base64"}' \"#,
            #"-object '{"qom-type":"secret","id":"s","data":"[hidden]","format":"base64"}' \"#
        ),
        (
            #"-object '{"qom-type":"secret","id":"masterKey0","format":"raw","file":"/var/lib/m.aes"}' \"#,
            #"-object '{"qom-type":"secret","id":"masterKey0","format":"raw","file":"/var/lib/m.aes"}' \"#
        ),
        ("-fw_cfg name=opt/x,string=a,,b,,c \\", "-fw_cfg name=opt/x,string=[hidden] \\"),
        ("-fw_cfg 'name=opt/x,string=one two, three' \\", "-fw_cfg name=opt/x,string=[hidden] \\"),
        ("-fw_cfg 'string=it'\\''s one two,name=opt/x' \\", "-fw_cfg string=[hidden] \\"),
        ("-smbios type=11,value=io.systemd.credential:pw=x \\", "-smbios type=11,value=[hidden] \\"),
        ("-smbios 'type=1,serial=ds=nocloud;s=http://a/' \\", "-smbios type=1,serial=[hidden] \\"),
        (
            "-vnc 127.0.0.1:0,password=on,password-secret=v \\",
            "-vnc 127.0.0.1:0,password=[hidden],password-secret=[hidden] \\"
        ),
        ("-spice port=5900,Password=hunter2,tls", "-spice port=5900,Password=[hidden],tls"),
        ("-drive file=rbd:p/i:id=a:key=AQB==,x", "-drive file=rbd:p/i:id=a:key=[hidden],x"),
        ("-drive file.driver=ssh,file.password=pw,if=none", "-drive file.driver=ssh,file.password=[hidden],if=none"),
        (
            #"-drive 'file=json:{"driver":"https",,"url":"https://h/a",,"cookie":"k=v"},if=none'"#,
            #"-drive 'file=json:{"driver":"https",,"url":"https://h/a",,"cookie":"[hidden]"},if=none'"#
        ),
        (
            #"-blockdev '{"driver":"https","url":"https://joe:pw@h/a?sig=s3c","cookie":"k=v","node-name":"n"}' \"#,
            #"-blockdev '{"driver":"https","url":"https://[hidden]@h/a?[hidden]","cookie":"[hidden]","node-name":"n"}' \"#
        ),
        ("-drive file=iscsi://joe%pw@192.0.2.1/iqn/0 \\", "-drive file=iscsi://[hidden]@192.0.2.1/iqn/0 \\"),
        ("-drive file=nbd+unix:///e?socket=/run/x \\", "-drive file=nbd+unix:///e?socket=/run/x \\"),
        ("-netdev l2tpv3,id=n,txcookie=0x1,rxcookie=0x2", "-netdev l2tpv3,id=n,txcookie=[hidden],rxcookie=[hidden]"),
        (
            "-netdev 'user,id=n,guestfwd=tcp:10.0.2.1:80-cmd:curl -u a:b h' \\",
            "-netdev user,id=n,guestfwd=[hidden] \\"
        ),
        ("-device vfio-pci,host=1:0.0,vf-token=0a1b", "-device vfio-pci,host=1:0.0,vf-token=[hidden]"),
        ("-incoming 'exec:openssl enc -d -k pw' \\", "-incoming exec:[hidden] \\"),
        ("-append 'root=/dev/vda pw=1' \\", "-append [hidden] \\"),
        ("-append 'root=/dev/vda pw=1' -uuid 1", "-append [hidden] -uuid 1"),
        ("-machine pc,append=root", "-machine pc,append=[hidden]"),
        (
            "VAULT_ADDR=x PATH=/bin /usr/bin/qemu-system-x86_64 -S",
            "VAULT_ADDR=[hidden] PATH=/bin /usr/bin/qemu-system-x86_64 -S"
        ),
        (
            "LC_ALL=C own_way=x OWN=y /usr/bin/qemu-system-x86_64 -S",
            "LC_ALL=C own_way=[hidden] OWN=[hidden] /usr/bin/qemu-system-x86_64 -S"
        ),
        ("handle=5 is not there", "handle=5 is not there"),
        // Beside command lines: messages, QMP, the XML of a machine.
        ("file=https://joe:pw@cdn.example/a.iso", "file=https://[hidden]@cdn.example/a.iso"),
        ("cannot open https://cdn.example/a?token=1&b=2 now", "cannot open https://cdn.example/a?[hidden] now"),
        (
            #"msg={"execute":"set_password","arguments":{"protocol":"vnc","password":"a\"b"}}"#,
            #"msg={"execute":"set_password","arguments":{"protocol":"vnc","password":"[hidden]"}}"#
        ),
        (#"line='{\"data\":\"abc\",\"id\":1}'"#, #"line='{\"data\":\"[hidden]\",\"id\":1}'"#),
        (#"{"password":"cut off"#, #"{"password":"[hidden]"#),
        ("<graphics type='vnc' passwd='hunter 2' port='1'/>", "<graphics type='vnc' passwd=[hidden] port='1'/>"),
        ("<entry name='opt/x'>pw</entry>", "<entry name='opt/x'>[hidden]</entry>"),
        ("<cmdline>root=/dev/vda pw</cmdline>", "<cmdline>[hidden]</cmdline>"),
        ("<qemu:arg value='a b'/><disk value='c'/>", "<qemu:arg value=[hidden]/><disk value='c'/>"),
        (
            "2023-05-05T12:00:00.000001Z qemu-system-x86_64: can't open x",
            "2023-05-05T12:00:00.000001Z qemu-system-x86_64: can't open x"
        ),
        ("\u{1B}[31mred\u{7}", "\u{FFFD}[31mred\u{FFFD}"),
    ]

    @Test(arguments: words)
    func `secrets and escapes of a log stay on the node`(line: String, shown: String) async throws {
        #expect(try await Self.shown(line) == shown)
    }

    static let started = """
        2023-05-05 11:22:03.043+0000: starting up libvirt version: 8.6.0, hostname: h
        LC_ALL=C \\
        SECRET_OF_OWNER=s3cret \\
        /usr/bin/qemu-system-x86_64 \\
        -name guest=web,debug-threads=on \\
        -fw_cfg 'name=opt/com.coreos/config,string={
          "passwd": { "users": [ { "sshAuthorizedKeys": [ "s3cret" ] } ] },
          it'\\''s s3cret
        }' \\
        -append 'console=ttyS0
        s3cret' \\
        -msg timestamp=on
        2023-05-05T12:00:00.000001Z qemu-system-x86_64: isn't there
        """

    @Test func `a secret of several lines is hidden as one, and what follows is told`() async throws {
        let shown = try await Self.shown(Self.started)
        #expect(!shown.contains("s3cret"))
        #expect(shown.contains("\n-fw_cfg name=opt/com.coreos/config,string=[hidden] \\\n-append [hidden] \\\n"))
        #expect(shown.hasSuffix("-msg timestamp=on\n2023-05-05T12:00:00.000001Z qemu-system-x86_64: isn't there"))
        // The last lines of a log begin in the middle of a secret as often as not.
        for count in 1...14 {
            let last = try await Self.shown(Self.started, last: count)
            #expect(!last.contains("s3cret"))
            #expect(shown.hasSuffix(last))
        }
    }

    @Test func `a command line on one line is a command line too`() async throws {
        let joined = Self.started.split(separator: "\n").dropFirst().dropLast().joined(separator: "\n")
            .replacing(" \\\n", with: " ")
        let shown = try await Self.shown(joined)
        #expect(!shown.contains("s3cret") && shown.contains("-append [hidden] -msg timestamp=on"))
    }

    @Test func `whatever a line is made of, what is hidden stays hidden and comes to rest`() {
        let parts = [
            "password=", "\"key\":\"", "\\\"data\\\": \\\"", "'", "\"", "\\", " ", ",", ",,", "{", "}", "://", "@", "?",
            "<entry ",
            ">", "</", "<qemu:", "value=", "-append ", "-fw_cfg ", "-object ", "string=", "s3", "[hidden]", "\n", "é",
            "json:",
            "/qemu-kvm ", "A=", "\u{301}",
        ]
        for _ in 0..<5000 {
            let line = (0..<Int.random(in: 1...16)).map { _ in parts.randomElement()! }.joined()
            let hidden = LogLines.hidden(in: line)
            #expect(LogLines.hidden(in: hidden).utf8.elementsEqual(hidden.utf8), "\(line.debugDescription)")
            var rest = Substring(hidden).utf8
            while let place = rest.firstRange(of: Array("password=".utf8)) {
                rest = rest[place.upperBound...]
                #expect(rest.starts(with: "[hidden]".utf8), "\(line.debugDescription)")
            }
        }
    }
}
