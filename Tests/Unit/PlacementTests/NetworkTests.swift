import Model
import TestSupport
import Testing

@testable import Placement

@Suite struct `Numbers to give out` {
    private func range(_ dice: inout SeededGenerator) -> ClosedRange<UInt128> {
        let low = UInt128(dice.next() % 200)
        return low...low + UInt128(dice.next() % 30)
    }

    @Test(arguments: 0..<200)
    func `are each once those of the ranges, less the excluded ones, from any place on`(seed: UInt64) {
        var dice = SeededGenerator(seed: seed)
        let ranges = (0..<dice.next() % 6).map { _ in range(&dice) }
        let excluded = (0..<dice.next() % 6).map { _ in range(&dice) }
        let wanted = Set(ranges.flatMap { $0 }).subtracting(excluded.flatMap { $0 })
        let space = NumberSpace(ranges, without: excluded)
        #expect(space.count == UInt128(wanted.count))
        #expect((0...260).filter { space.contains($0) } == wanted.sorted())
        let place = UInt128(dice.next() % 260)
        let walked = Array(space.numbers(after: place))
        #expect(walked == wanted.sorted().filter { $0 > place } + wanted.sorted().filter { $0 <= place })
        #expect(Array(space.numbers(after: nil)) == wanted.sorted())
    }

    @Test func `may be all that there are`() {
        let all = NumberSpace([0...UInt128.max])
        #expect(all.count == .max)
        #expect(Array(all.numbers(after: .max).prefix(2)) == [0, 1])
        #expect(NumberSpace([0...UInt128.max], without: [0...UInt128.max]).ranges.isEmpty)
        #expect(Array(NumberSpace([]).numbers(after: 4)).isEmpty)
    }
}

@Suite struct `A network` {
    private func network(_ subnets: Subnet...) -> Network {
        Network(name: "lan", kind: .bridge, interface: "vmbr0", subnets: subnets)
    }

    private func subnet(
        _ prefix: String, _ gateway: String? = nil, _ ranges: [String] = [], without excluded: [String] = []
    ) throws -> Subnet {
        Subnet(
            prefix: try #require(IPPrefix(prefix)), gateway: try gateway.map { try #require(IPAddress($0)) },
            ranges: try ranges.map { try #require(IPRange($0)) },
            excluded: try excluded.map { try #require(IPRange($0)) })
    }

    private func problem(_ network: Network) -> String? {
        do throws(NetworkProblem) {
            try network.check()
            return nil
        } catch { return "\(error.field) \(error.problem)" }
    }

    @Test(arguments: 0..<200)
    func `gives no gateway, no excluded, no network's and no broadcast address`(seed: UInt64) throws {
        var dice = SeededGenerator(seed: seed)
        let length = 22 + Int(dice.next() % 11)
        let base = UInt128(0xc000_0200) & ~((1 << UInt128(32 - length)) - 1)
        let network = try #require(IPAddress(.v4, base))
        let prefix = try #require(IPPrefix(network, length: length))
        let (first, last) = (prefix.range.first.number, prefix.range.last.number)
        func any() throws -> IPAddress {
            try #require(IPAddress(.v4, first + UInt128(dice.next()) % (last - first + 1)))
        }
        let gateway = try any()
        let holes = try (0..<dice.next() % 4).map { _ in
            let ends = [try any(), try any()].sorted()
            return try #require(IPRange(ends[0], ends[1]))
        }
        let subnet = Subnet(prefix: prefix, gateway: gateway, excluded: holes)
        let given = Array(subnet.addresses(after: try any()))
        #expect(Set(given).count == given.count)
        for address in given {
            #expect(prefix.range.contains(address) && address != gateway && !prefix.special.contains(address))
            #expect(!holes.contains { $0.contains(address) })
        }
        let wanted = (first...last).filter { number in
            number != gateway.number && !prefix.special.contains { $0.number == number }
                && !holes.contains { $0.numbers.contains(number) }
        }
        #expect(given.count == wanted.count)
    }

    @Test func `says which field cannot be`() throws {
        #expect(problem(network(try subnet("192.0.2.0/24", "192.0.2.1"), try subnet("2001:db8::/64"))) == nil)
        #expect(
            problem(network(try subnet("192.0.2.0/24", "198.51.100.1")))
                == "subnets[0].gateway must lie in 192.0.2.0/24")
        #expect(problem(network(try subnet("192.0.2.0/24", "192.0.2.255")))?.hasPrefix("subnets[0].gateway") == true)
        #expect(
            problem(network(try subnet("192.0.2.0/24", nil, ["192.0.2.9-192.0.2.20", "192.0.2.20-192.0.2.30"])))
                == "subnets[0].ranges[1] overlaps 192.0.2.9-192.0.2.20")
        #expect(
            problem(network(try subnet("192.0.2.0/24", nil, ["192.0.3.1"])))
                == "subnets[0].ranges[0] must lie in 192.0.2.0/24")
        #expect(
            problem(network(try subnet("192.0.2.0/24", nil, [], without: ["::1"])))
                == "subnets[0].exclude[0] must lie in 192.0.2.0/24")
        #expect(
            problem(network(try subnet("192.0.2.0/24"), try subnet("192.0.2.128/25")))
                == "subnets[1].prefix overlaps 192.0.2.0/24")
        #expect(problem(network(try subnet("192.0.2.1/32", "192.0.2.1")))?.hasPrefix("subnets[0].ranges") == true)
        #expect(problem(network(try subnet("224.0.0.0/24")))?.hasPrefix("subnets[0].prefix") == true)
        var small = network(try subnet("2001:db8::/64"))
        small.mtu = 1279
        #expect(problem(small)?.hasPrefix("mtu") == true)
        small.mtu = 1280
        small.vlan = 4095
        #expect(problem(small)?.hasPrefix("vlan") == true)
    }

    @Test func `is where its nodes and labels say, and everywhere without`() throws {
        var network = network()
        #expect(network.isOn("n1", labels: [:]))
        network.labels = ["zone": "a"]
        #expect(network.isOn("n1", labels: ["zone": "a", "x": "y"]))
        #expect(!network.isOn("n1", labels: ["zone": "b"]))
        network.nodes = ["n1"]
        #expect(network.isOn("n1", labels: [:]))
        network.labels = [:]
        #expect(!network.isOn("n2", labels: ["zone": "a"]))
    }

    @Test func `shares no address with another one`() throws {
        let mine = network(try subnet("192.0.2.0/25"))
        #expect(mine.overlap(with: network(try subnet("192.0.2.128/25"))) == nil)
        let both = try #require(mine.overlap(with: network(try subnet("2001:db8::/64"), try subnet("192.0.0.0/16"))))
        #expect("\(both.mine) \(both.theirs)" == "192.0.2.0/25 192.0.0.0/16")
    }
}
