import APIModels
import HTTPTypes
import Hummingbird
import Model

/// The router of the API, made from the endpoints.
enum APIRouter {
    private static let methods: [HTTPRequest.Method] = [.get, .post, .put, .patch, .delete, .head]

    static func make(_ endpoints: [Endpoint], _ front: Front, _ counters: RequestCounters) -> Router<APIContext> {
        let router = Router(context: APIContext.self)
        router.add(middleware: RequestLog(counters: counters))
        for (path, offered) in Dictionary(grouping: endpoints, by: \.path) {
            for endpoint in offered {
                router.on(RouterPath(path), method: endpoint.method) { request, context in
                    try await front.respond(to: request, context, endpoint)
                }
            }
            refuseOthers(router, path, offered.map(\.method))
        }
        return router
    }

    /// A path that is there for another method says so.
    private static func refuseOthers(_ router: Router<APIContext>, _ path: String, _ offered: [HTTPRequest.Method]) {
        let names = offered.map(\.rawValue).sorted().joined(separator: ", ")
        for method in methods where !offered.contains(method) {
            router.on(RouterPath(path), method: method) { request, _ -> Response in
                var problem = Problem(.methodNotAllowed, "\(method.rawValue) is not offered here, but \(names)")
                problem.instance = request.uri.path
                var response = problem.response()
                response.headers[.allow] = names
                return response
            }
        }
    }
}
