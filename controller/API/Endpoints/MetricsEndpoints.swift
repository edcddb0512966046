import APIModels
import Model
import Store

extension Doors {
    var metrics: [Endpoint] { [] }
    func latestMetrics(of service: ServiceRecord) async throws -> LatestMetrics? { nil }
}
