// swift-tools-version: 6.2
import PackageDescription

// One table, in folder order. `part` is a library target of this package, `program` an executable,
// `tests` the tests of one target.

/// With INNKEEPER_FUZZ in the environment the package is one program under libFuzzer instead of products and tests
/// (`make fuzz`); its parts are then built with the optimiser, as they are shipped.
let fuzzing = Context.environment["INNKEEPER_FUZZ"] != nil
let fuzzer = ["-sanitize=fuzzer,address"]

let house: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .treatAllWarnings(as: .error),
    ] + (fuzzing ? [.unsafeFlags(["-O"] + fuzzer)] : [])

func part(_ name: String, _ path: String, _ needs: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: needs, path: path, swiftSettings: house)
}

/// - Parameter fuzzed: the files that the fuzzer's program takes in; there the rest is left out, `main` above all.
func program(
    _ name: String, _ path: String, _ needs: [Target.Dependency], fuzzed: [String] = []
) -> Target {
    fuzzing
        ? .target(name: name, dependencies: needs, path: path, sources: fuzzed, swiftSettings: house)
        : .executableTarget(name: name, dependencies: needs, path: path, swiftSettings: house)
}

func tests(_ name: String, _ needs: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: [.init(stringLiteral: name), "TestSupport"] + needs,
        path: "Tests/Unit/\(name)Tests", swiftSettings: house)
}

func system(_ name: String, links: [String], _ needs: [Target.Dependency] = []) -> Target {
    .target(
        name: name, dependencies: needs, path: "Sources/\(name)", linkerSettings: links.map { .linkedLibrary($0) })
}

let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
]
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")

/// Tests that start the programs need them built.
let programs: [Target.Dependency] = ["innctl", "innkeeper-agent", "innkeeper-controller"]

/// Tests of the running product that try to break it.
func reliability(_ name: String, _ needs: [Target.Dependency] = [], exclude: [String] = []) -> Target {
    .testTarget(
        name: name,
        dependencies: ["APIModels", "HTTPFetch", "Model", "Processes", "SiteSupport", "TestSupport", "WireProtocol"]
            + programs + needs,
        path: "Tests/Reliability/\(name)", exclude: exclude, swiftSettings: house)
}

let package = Package(
    name: "innkeeper",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "innkeeper-agent", targets: ["innkeeper-agent"]),
        .executable(name: "innkeeper-controller", targets: ["innkeeper-controller"]),
        .executable(name: "innctl", targets: ["innctl"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", exact: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", exact: "1.46.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", exact: "1.0.2", traits: []),
    ],
    targets: [
        // proto/
        part("WireProtocol", "proto/Messages"),

        // Sources/
        system("CLibSSL", links: ["ssl", "crypto"]),
        // libcurl speaks TLS by libssl too, and its thread must be able to do so until the process is gone.
        system("CLibCurl", links: ["curl"], ["CLibSSL"]),
        system("CLibSQLite", links: ["sqlite3"]),
        system("CLibResolv", links: ["resolv"]),
        system("CLibYAML", links: ["yaml"]),
        system("CZlib", links: ["z"]),
        system("CLinux", links: []),
        part("Model", "Sources/Model"),
        part("APIModels", "Sources/APIModels", ["Model", "WireProtocol"]),
        part("Transport", "Sources/Transport", ["CLibSSL", logging] + nio),
        part(
            "Processes", "Sources/Processes",
            ["CLinux", .product(name: "Subprocess", package: "swift-subprocess")]),
        part("HTTPFetch", "Sources/HTTPFetch", ["CLibCurl"]),
        part("SQL", "Sources/SQL"),
        part("SQLite", "Sources/SQLite", ["CLibSQLite", "SQL"]),
        part("Threads", "Sources/Threads", [.product(name: "NIOPosix", package: "swift-nio")]),
        part("YAML", "Sources/YAML", ["CLibYAML", "WireProtocol"]),
        part("DaemonKit", "Sources/DaemonKit", ["CLinux", "WireProtocol", logging, lifecycle]),
        program(
            "innctl", "Sources/innctl", ["APIModels", "HTTPFetch", "Model", "WireProtocol", arguments],
            fuzzed: ["Connection/EventReader.swift", "Failure.swift"]),

        // agent/
        part("DriverKit", "agent/DriverKit", ["Model", "WireProtocol", logging]),
        part("Recipes", "agent/Recipes", ["DriverKit", "Model", "WireProtocol"]),
        part("HostDriver", "agent/Drivers/Host", ["CLinux", "DriverKit", "Model", "Processes", "WireProtocol"]),
        part("ProxmoxDriver", "agent/Drivers/Proxmox", ["DriverKit", "Model", "Processes", "Recipes", "WireProtocol"]),
        part(
            "DockerDriver", "agent/Drivers/Docker",
            ["DriverKit", "HTTPFetch", "Model", "Processes", "Recipes", "WireProtocol", "YAML"] + nio),
        part("SwagDriver", "agent/Drivers/Swag", ["DockerDriver", "DriverKit", "Model", "Processes", "WireProtocol"]),
        part("ZFSDriver", "agent/Drivers/ZFS", ["DriverKit", "Model", "Processes", "WireProtocol"]),
        part("HelmDriver", "agent/Drivers/Helm", ["DriverKit", "Model", "Processes", "WireProtocol", "YAML"]),
        part("LibvirtDriver", "agent/Drivers/Libvirt", ["DriverKit", "Model", "Processes", "WireProtocol"]),
        part(
            "CloudPanelDriver", "agent/Drivers/CloudPanel",
            ["DriverKit", "Model", "Processes", "SQL", "SQLite", "Transport", "WireProtocol"]),
        part(
            "AgentCore", "agent/Core",
            ["DaemonKit", "DriverKit", "Model", "SQL", "SQLite", "Threads", "Transport", "WireProtocol", logging] + nio),
        program(
            "innkeeper-agent", "agent/Daemon",
            [
                "AgentCore", "CLinux", "CloudPanelDriver", "DaemonKit", "DockerDriver", "DriverKit", "HelmDriver",
                "HostDriver", "LibvirtDriver", "Model", "ProxmoxDriver", "Recipes", "SwagDriver", "Transport",
                "WireProtocol", "ZFSDriver",
                logging, lifecycle,
            ], fuzzed: ["AgentConfiguration.swift", "Doctor/DriverSign.swift", "NodeDrivers.swift"]),

        // controller/
        part("Saga", "controller/Saga", ["Model", "WireProtocol"]),
        part("Placement", "controller/Placement", ["Model"]),
        part("Metering", "controller/Metering", ["Model"]),
        part("AgentCommands", "controller/AgentCommands", ["WireProtocol"]),
        part(
            "Store", "controller/Store",
            ["Metering", "Model", "SQL", "SQLite", "Threads", "Transport", "WireProtocol"]),
        part(
            "Sessions", "controller/Sessions",
            ["AgentCommands", "Model", "Store", "Transport", "WireProtocol", logging, lifecycle] + nio
        ),
        part(
            "ControllerCore", "controller/Core",
            [
                "APIModels", "AgentCommands", "Metering", "Model", "Placement", "Saga", "Store", "Transport",
                "WireProtocol", logging, lifecycle,
            ]),
        part(
            "ProductKit", "controller/Products/ProductKit",
            ["ControllerCore", "Model", "Saga", "Store", "WireProtocol"]),
        part(
            "ContainerProduct", "controller/Products/Container",
            ["ControllerCore", "Model", "Placement", "ProductKit", "Saga", "Store", "WireProtocol"]),
        part(
            "IntegrationKit", "controller/Integrations/IntegrationKit",
            ["ControllerCore", "HTTPFetch", "Model", "WireProtocol"]),
        part(
            "CloudflareIntegration", "controller/Integrations/Cloudflare",
            ["ControllerCore", "IntegrationKit", "Model", "WireProtocol"]),
        part(
            "NginxProxyManagerIntegration", "controller/Integrations/NginxProxyManager",
            ["ControllerCore", "IntegrationKit", "Model", "WireProtocol"]),
        part(
            "MatomoIntegration", "controller/Integrations/Matomo",
            ["ControllerCore", "IntegrationKit", "Model", "WireProtocol"]),
        part(
            "SupabaseIntegration", "controller/Integrations/Supabase",
            ["ControllerCore", "IntegrationKit", "Model", "WireProtocol"]),
        part(
            "ISPConfigIntegration", "controller/Integrations/ISPConfig",
            ["ControllerCore", "IntegrationKit", "Model", "WireProtocol"]),
        part(
            "ResolverIntegration", "controller/Integrations/Resolver",
            [
                "CLibResolv", "ControllerCore", "IntegrationKit", "Model", "WireProtocol",
                .product(name: "NIOPosix", package: "swift-nio"),
            ]),
        part(
            "WordPressProduct", "controller/Products/WordPress",
            ["ControllerCore", "Model", "Placement", "ProductKit", "Saga", "Store", "WireProtocol"]),
        part(
            "HelmStoreProduct", "controller/Products/HelmStore",
            ["ControllerCore", "Model", "Placement", "ProductKit", "Saga", "Store", "WireProtocol"]),
        part(
            "SiteProduct", "controller/Products/Site",
            ["ControllerCore", "Model", "Placement", "ProductKit", "Saga", "Store", "WireProtocol"]),
        part(
            "HTTP", "controller/HTTP",
            [
                "APIModels", "CZlib", "Model", "Transport", "WireProtocol", hummingbird,
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP2", package: "swift-nio-extras"), lifecycle, logging,
            ] + nio),
        part(
            "API", "controller/API",
            [
                "APIModels", "AgentCommands", "ControllerCore", "HTTP", "Metering", "Model", "Transport",
                "WireProtocol", lifecycle, logging,
            ]),
        part(
            "HostingCompatibility", "controller/Compatibility/Hosting",
            ["APIModels", "ControllerCore", "HTTP", "Model", "WireProtocol"]),
        part(
            "StoresCompatibility", "controller/Compatibility/Stores",
            ["APIModels", "ControllerCore", "HTTP", "Model", "WireProtocol"]),
        part(
            "WordPressCompatibility", "controller/Compatibility/WordPress",
            ["APIModels", "ControllerCore", "HTTP", "Model", "WireProtocol"]),
        part(
            "ControllerEngine", "controller/Engine",
            [
                "AgentCommands", "ControllerCore", "Model", "Placement", "Sessions", "Store", "Transport",
                "WireProtocol", logging, lifecycle,
            ]),
        program(
            "innkeeper-controller", "controller/Daemon",
            [
                "API", "APIModels", "CloudflareIntegration", "ContainerProduct", "ControllerCore", "ControllerEngine",
                "DaemonKit",
                "HTTP", "HelmStoreProduct", "HostingCompatibility", "ISPConfigIntegration", "IntegrationKit",
                "MatomoIntegration", "Model",
                "NginxProxyManagerIntegration", "Placement",
                "ResolverIntegration",
                "Sessions", "SiteProduct", "Store", "StoresCompatibility", "SupabaseIntegration", "Transport",
                "WireProtocol",
                "WordPressCompatibility",
                "WordPressProduct",
                arguments, logging, lifecycle,
            ], fuzzed: ["ServeConfiguration.swift", "ServeConfiguration+Core.swift"]),

        // Tests/
        part(
            "JournalSupport", "Tests/Support/JournalSupport", ["Model", "Saga", "TestSupport", "WireProtocol"]),
        .target(
            name: "TestSupport", dependencies: ["CLinux", "DriverKit", "Model", "Processes", "WireProtocol"],
            path: "Tests/Support/TestSupport", swiftSettings: house),
        .target(
            name: "StandIns", dependencies: ["HTTPFetch", "Processes", "TestSupport", "WireProtocol"],
            path: "Tests/Support/StandIns/Client", swiftSettings: house),
        .target(name: "FaultProxy", dependencies: nio, path: "Tests/Support/FaultProxy", swiftSettings: house),
        tests("FaultProxy", nio),
        .target(
            name: "SiteSupport",
            dependencies: [
                "APIModels", "FaultProxy", "HTTPFetch", "Model", "Processes", "StandIns", "Store", "TestSupport",
                "WireProtocol",
            ],
            path: "Tests/Support/SiteSupport", swiftSettings: house),
        .testTarget(
            name: "EmulatorTests", dependencies: ["Processes", "TestSupport"], path: "Tests/Unit/EmulatorTests",
            swiftSettings: house),
        tests("WireProtocol"),
        tests("Model"),
        tests("Transport", nio + [.product(name: "NIOEmbedded", package: "swift-nio")]),
        tests("Processes"),
        tests("HTTPFetch"),
        tests("SQLite", ["SQL"]),
        tests("YAML", ["Processes", "WireProtocol"]),
        tests("DaemonKit"),
        tests("DriverKit", ["Model", "WireProtocol", logging]),
        tests("Recipes", ["DriverKit", "Processes", "WireProtocol", logging]),
        tests("HostDriver", ["DriverKit", "Model", "Processes", "WireProtocol", logging]),
        tests("SwagDriver", ["DockerDriver", "DriverKit", "Model", "Processes", "WireProtocol", logging]),
        tests("DockerDriver", ["DriverKit", "WireProtocol", "HTTPFetch", "Model", "Recipes", "YAML", logging]),
        tests("ProxmoxDriver", ["DriverKit", "Model", "Processes", "Recipes", "WireProtocol", logging]),
        tests("ZFSDriver", ["DriverKit", "Model", "Processes", "WireProtocol", logging]),
        tests(
            "CloudPanelDriver",
            ["DriverKit", "Model", "Processes", "SQL", "SQLite", "Transport", "WireProtocol", logging]),
        tests("HelmDriver", ["DriverKit", "Model", "Processes", "WireProtocol", logging]),
        tests("LibvirtDriver", ["DriverKit", "Model", "WireProtocol", logging]),
        tests(
            "AgentCore",
            ["DaemonKit", "DriverKit", "Model", "SQL", "SQLite", "Threads", "Transport", "WireProtocol", logging] + nio),
        tests("Saga", ["Model", "WireProtocol"]),
        tests("Placement", ["Model"]),
        tests("Metering", ["Model"]),
        tests("Store", ["Metering", "Model", "SQL", "SQLite"]),
        tests(
            "Sessions",
            [
                "AgentCommands", "Model", "Store", "Transport", "WireProtocol",
                .product(name: "NIOEmbedded", package: "swift-nio"), logging,
            ] + nio),
        tests(
            "ControllerCore",
            [
                "APIModels", "AgentCommands", "ContainerProduct", "JournalSupport", "Model", "Placement", "ProductKit",
                "Saga", "Store",
                "WireProtocol", logging, lifecycle,
            ]),
        tests(
            "WordPressProduct",
            [
                "API", "APIModels", "AgentCommands", "ContainerProduct", "ControllerCore", "HTTP", "HTTPFetch", "Model",
                "Placement", "ProductKit", "Saga", "Store", "WireProtocol", "WordPressCompatibility", lifecycle,
                logging,
            ]),
        tests(
            "HostingCompatibility",
            [
                "API", "APIModels", "AgentCommands", "ControllerCore", "HTTP", "HTTPFetch", "Model", "Placement",
                "Saga",
                "Store", "WireProtocol", lifecycle, logging,
            ]),
        tests(
            "HelmStoreProduct",
            [
                "API", "APIModels", "AgentCommands", "ContainerProduct", "ControllerCore", "DriverKit", "HTTP",
                "HTTPFetch",
                "HelmDriver", "JournalSupport", "Model", "Placement", "Processes", "ProductKit", "Saga", "Store",
                "StoresCompatibility",
                "WireProtocol", "WordPressCompatibility", lifecycle, logging,
            ]),
        tests(
            "SiteProduct",
            [
                "AgentCommands", "CloudPanelDriver", "ContainerProduct", "ControllerCore", "DriverKit", "Model",
                "Placement", "Processes", "ProductKit", "Saga", "Store", "WireProtocol", lifecycle, logging,
            ]),
        tests(
            "API",
            [
                "APIModels", "AgentCommands", "ContainerProduct", "ControllerCore", "HTTP", "HTTPFetch", "Model",
                "Processes", "Store", "Transport", "WireProtocol", "innctl", hummingbird, lifecycle, logging,
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHPACK", package: "swift-nio-http2"),
            ] + nio),
        .testTarget(
            name: "IntegrationsTests",
            dependencies: [
                "AgentCommands",
                "APIModels", "CloudflareIntegration", "ControllerCore", "HTTPFetch", "ISPConfigIntegration",
                "IntegrationKit", "MatomoIntegration",
                "Model",
                "NginxProxyManagerIntegration", "Placement", "Processes", "ResolverIntegration", "Saga", "StandIns",
                "Store", "SupabaseIntegration",
                "TestSupport", "WireProtocol", logging,
            ],
            path: "Tests/Unit/IntegrationsTests", swiftSettings: house),
        .testTarget(
            name: "BillingTests", dependencies: ["Processes", "StandIns", "TestSupport", "WireProtocol"],
            path: "Tests/Unit/BillingTests", swiftSettings: house),
        .testTarget(
            name: "ControllerDaemonTests",
            dependencies: [
                "API", "AgentCommands", "ControllerCore", "ControllerEngine", "DaemonKit", "HTTP", "Model", "Placement",
                "Sessions", "Store", "TestSupport", "Transport", "WireProtocol", "WordPressCompatibility",
                "innkeeper-controller", logging,
            ],
            path: "Tests/Unit/ControllerDaemonTests", swiftSettings: house),
        .target(
            name: "Takeover", dependencies: ["CLibSQLite"], path: "Tests/Reliability/Simulation/Takeover"),
        part(
            "Simulation", "Tests/Reliability/Simulation/Simulation",
            [
                "AgentCore", "ContainerProduct", "ControllerCore", "ControllerEngine", "DaemonKit", "DriverKit",
                "HelmStoreProduct", "Metering", "Model", "SQL", "SQLite", "Sessions", "Store", "Takeover", "Transport",
                "WireProtocol", "WordPressProduct", lifecycle, logging,
            ] + nio),
        program("innkeeper-simulate", "Tests/Reliability/Simulation/Program", ["Simulation"]),
        .testTarget(
            name: "SimulationTests", dependencies: ["Processes", "TestSupport"],
            path: "Tests/Reliability/Simulation/Tests", swiftSettings: house),
        part(
            "SimulatedFleet", "Tests/Support/SimulatedFleet",
            ["CLinux", "Model", "Store", "Transport", "WireProtocol"] + nio),
        reliability(
            "LinkFaults",
            [
                "AgentCommands", "AgentCore", "DaemonKit", "DriverKit", "FaultProxy", "Metering", "SQL", "SQLite",
                "Sessions", "Store", "Transport", "ControllerEngine", logging,
            ] + nio),
        program(
            "innkeeper-bench", "Tests/Tools/Bench",
            [
                "AgentCommands", "CLinux", "ControllerCore", "DriverKit", "Metering", "Model", "Processes",
                "ProxmoxDriver", "Sessions", "SimulatedFleet", "Store", "TestSupport", "Transport", "WireProtocol",
                "WordPressProduct", logging, lifecycle,
            ] + nio),
        program(
            "innkeeper-soak", "Tests/Tools/Soak",
            [
                "APIModels", "HTTPFetch", "Model", "SimulatedFleet", "Store", "TestSupport", "Transport",
                "WireProtocol", arguments,
            ] + nio),
        reliability("Secrets", ["SQL", "SQLite"]),
        .testTarget(
            name: "SoakTests", dependencies: ["SiteSupport", "TestSupport", "innkeeper-soak"] + programs,
            path: "Tests/System/SoakTests", swiftSettings: house),
        .testTarget(
            name: "EndToEnd",
            dependencies: [
                "APIModels", "FaultProxy", "HTTPFetch", "Model", "Processes", "SiteSupport", "StandIns", "Store",
                "TestSupport", "WireProtocol",
            ] + programs,
            path: "Tests/System/EndToEnd", swiftSettings: house),

        .testTarget(
            name: "RealParts",
            dependencies: [
                "ControllerCore", "DriverKit", "HTTPFetch", "IntegrationKit", "MatomoIntegration", "Processes",
                "ProxmoxDriver", "Recipes", "TestSupport", "WireProtocol", logging,
            ],
            path: "Tests/System/RealParts", swiftSettings: house),

        .testTarget(
            name: "HouseTests", dependencies: ["Processes"] + programs, path: "Tests/Unit/HouseTests",
            swiftSettings: house),

        // Tests/Reliability/
        reliability("CrashMatrix", ["DaemonKit", "SQL", "SQLite", "Transport"], exclude: ["Shim"]),
        reliability(
            "HostileMachine",
            ["AgentCommands", "AgentCore", "ControllerEngine", "DaemonKit", "Sessions", "Store", "Transport", logging]
                + nio),
        reliability(
            "HostilePeers", ["SQL", "SQLite", "Transport", .product(name: "NIOEmbedded", package: "swift-nio")] + nio),
        .testTarget(
            name: "StolenController",
            dependencies: [
                "AgentCore", "CloudPanelDriver", "DockerDriver", "DriverKit", "HelmDriver", "HostDriver",
                "LibvirtDriver",
                "Processes", "ProxmoxDriver", "Recipes", "SwagDriver", "TestSupport", "WireProtocol", "ZFSDriver",
                logging,
            ], path: "Tests/Reliability/StolenController", swiftSettings: house),
        reliability(
            "Damage", ["AgentCore", "ControllerCore", "DaemonKit", "SQL", "SQLite", "Store", "Transport", logging]),
    ]
)

// Tests/Reliability/Fuzz: the same properties under libFuzzer, or in a test over the committed inputs.
let fuzzed: [Target.Dependency] =
    [
        "API", "APIModels", "AgentCore", "CloudPanelDriver", "ContainerProduct", "ControllerCore", "DaemonKit",
        "DockerDriver", "DriverKit",
        "HTTP", "HTTPFetch", "HelmDriver", "HostDriver", "LibvirtDriver", "Metering", "Model", "Placement", "Processes",
        "ProxmoxDriver", "Saga", "SwagDriver", "Transport", "WireProtocol", "YAML", "ZFSDriver", "innctl",
        "innkeeper-agent", "innkeeper-controller", .product(name: "NIOEmbedded", package: "swift-nio"),
    ] + nio
if fuzzing {
    package.products = []
    package.targets.removeAll { $0.path?.hasPrefix("Tests/") == true }
    package.targets.append(
        .executableTarget(
            name: "innkeeper-fuzz", dependencies: fuzzed, path: "Tests/Reliability/Fuzz",
            exclude: ["CorpusTests", "corpus", "run"],
            sources: ["Program", "Properties"], swiftSettings: house, linkerSettings: [.unsafeFlags(fuzzer)]))
} else {
    package.targets.append(
        .testTarget(
            name: "FuzzCorpusTests", dependencies: fuzzed, path: "Tests/Reliability/Fuzz",
            exclude: ["Program", "corpus", "run"],
            sources: ["CorpusTests", "Properties"], swiftSettings: house))
}

/// With INNKEEPER_TESTS="StoreTests,SagaTests" only these tests are built: short builds while one part is written.
if let chosen = Context.environment["INNKEEPER_TESTS"]?.split(separator: ",").map(String.init) {
    package.targets.removeAll { $0.type == .test && !chosen.contains($0.name) }
}
