@testable import CloudPanelDriver
import Testing

/// Reading nginx's configuration of a site.
@Suite struct HostConfigurationTests {
    @Test func `servers, their addresses and names are found`() {
        let text = """
            # listen 1; server { listen 2; }
            server {
              listen 80 default_server reuseport; listen [::]:443 ssl http2;
              listen 443 quic;
              server_name a.org "www.a.org"   ~^x(?<n>\\d+)\\.a\\.org$ '~^(?<y>.{3})$';
              if ($scheme != "https") { rewrite ^ https://$host$request_uri permanent; }
              location / { listen 99; proxy_pass http://x${y}z; }
              http2 on;
            }
            map $a $b { default 1; }
            server { listen 8080; server_name a.org; }
            """
        let servers = HostConfiguration(text).servers
        #expect(servers.count == 2)
        #expect(servers.first?.addresses == ["80", "[::]:443 ssl", "443 quic"])
        #expect(servers.first?.names.count == 4)
        #expect(servers.first?.names.last == "'~^(?<y>.{3})$'")
        #expect(servers.first?.needsCertificate == true)
        #expect(servers.last?.addresses == ["8080"])
        #expect(servers.last?.needsCertificate == false)
    }

    @Test(arguments: [
        "", "server", "server {", "}}}}", "server { listen", "server { server_name \"a", "{{{;;;}}}", "\\",
        "server { } }{",
        "server{listen 80;server_name ;}", "\u{0}\u{1}", "'", "${", "server { listen 80; server_name a.org; ",
    ])
    func `whatever the text is, nothing worse than fewer servers comes out`(text: String) {
        #expect(HostConfiguration(text).servers.allSatisfy { $0.names.isEmpty })
    }
}
