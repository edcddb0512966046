<?php

// What of Paymenter the extension touches, as the panel behaves: base classes, models over a file that several processes
// share, the helper that calls extensions, and the little of Laravel that forms need. Names and signatures are the panel's.

namespace {
    /** The panel's database: one JSON file, one transaction a call. */
    final class Database
    {
        public static string $file;

        public static function change(callable $change): mixed
        {
            $handle = fopen(self::$file, 'c+');
            flock($handle, LOCK_EX);
            $data = json_decode(stream_get_contents($handle), true) ?? [];
            $result = $change($data);
            rewind($handle);
            ftruncate($handle, 0);
            fwrite($handle, json_encode($data));
            fclose($handle);

            return $result;
        }

        public static function read(string $table): array
        {
            return self::change(fn (array &$data) => $data[$table] ?? []);
        }
    }

    final class Aborted extends \Exception
    {
    }

    final class Redirect
    {
        public array $flash = [];

        public string $url = '';

        public function route(string $name, array $parameters): self
        {
            $this->url = route($name, $parameters);

            return $this;
        }

        public function with(string $key, string $value): self
        {
            $this->flash[$key] = $value;

            return $this;
        }
    }

    function route(string $name, array $parameters): string
    {
        $uri = ['services.show' => '/services/{service}'][$name] ?? \Illuminate\Support\Facades\Route::$named[$name]
            ?? throw new \Exception("Route [$name] not defined.");
        foreach ($parameters as $key => $value) {
            $filled = str_replace('{' . $key . '}', rawurlencode((string) $value), $uri);
            $uri = $filled !== $uri ? $filled : $uri . (str_contains($uri, '?') ? '&' : '?') . $key . '=' . rawurlencode((string) $value);
        }

        return "https://panel.example.org$uri";
    }

    function csrf_token(): string
    {
        return 'token-of-this-session';
    }

    function session(string $key): mixed
    {
        return $GLOBALS['session'][$key] ?? null;
    }

    function redirect(): Redirect
    {
        return new Redirect();
    }

    function abort(int $status): never
    {
        throw new Aborted((string) $status);
    }
}

namespace Illuminate\Support\Facades {
    final class Route
    {
        /** @var array<string, string> */
        public static array $named = [];

        /** @var array<string, array{action: array, middleware: list<string>}> */
        public static array $posts = [];

        public static function post(string $uri, array $action): object
        {
            self::$posts[$uri] = ['action' => $action, 'middleware' => []];

            return new class($uri)
            {
                public function __construct(private string $uri)
                {
                }

                public function middleware(array $names): self
                {
                    Route::$posts[$this->uri]['middleware'] = $names;

                    return $this;
                }

                public function name(string $name): self
                {
                    Route::$named[$name] = $this->uri;

                    return $this;
                }
            };
        }
    }
}

namespace Illuminate\Http {
    final class Request
    {
        public function __construct(private array $fields, private ?object $user)
        {
        }

        public function input(string $key): mixed
        {
            return $this->fields[$key] ?? null;
        }

        public function user(): ?object
        {
            return $this->user;
        }
    }
}

namespace App\Exceptions {
    class DisplayException extends \Exception
    {
    }
}

namespace App\Attributes {
    #[\Attribute(\Attribute::TARGET_CLASS)]
    class ExtensionMeta
    {
        public function __construct(
            public string $name,
            public string $description,
            public string $version,
            public string $author,
            public string $url = '',
            public string $icon = '',
        ) {
        }
    }
}

namespace App\Classes\Extension {
    class Extension
    {
        public function __construct(public $config = [])
        {
        }

        public function config($key)
        {
            // Without any setting the panel takes the first server of this extension, whosoever it is.
            if (empty($this->config)) {
                $this->config = array_values(\Database::read('servers'))[0]['settings'];
            }

            return $this->config[$key] ?? null;
        }

        public function getConfig($values = [])
        {
            return [];
        }

        public function boot()
        {
        }
    }

    class Server extends Extension
    {
    }
}

namespace App\Models {
    final class Query
    {
        private array $where = [];

        public function __construct(private int $service)
        {
        }

        public function where(string $column, string $value): self
        {
            $this->where[$column] = $value;

            return $this;
        }

        public function exists(): bool
        {
            $rows = \Database::read('properties')[$this->service] ?? [];

            return isset($rows[$this->where['key']]);
        }

        public function updateOrCreate(array $which, array $values): void
        {
            \Database::change(function (array &$data) use ($which, $values) {
                $data['properties'][$this->service][$which['key']] = $values;
            });
        }
    }

    final class Service
    {
        private function __construct(private array $row)
        {
        }

        public static function find(int $id): ?self
        {
            $row = \Database::read('services')[$id] ?? null;

            return $row === null ? null : new self(['id' => $id] + $row);
        }

        /** With PANEL_BECOMES in the environment somebody else changes the status before the second look. */
        public function fresh(): ?self
        {
            static $looks = 0;
            $status = getenv('PANEL_BECOMES');
            if (++$looks === 2 && $status !== false) {
                \Database::change(function (array &$data) use ($status) {
                    $data['services'][$this->row['id']]['status'] = $status;
                });
            }

            return self::find($this->row['id']);
        }

        public function properties(): Query
        {
            return new Query($this->row['id']);
        }

        public function __isset(string $name): bool
        {
            return isset($this->row[$name]) || in_array($name, ['user', 'product'], true);
        }

        public function __get(string $name): mixed
        {
            if ($name === 'user') {
                return (object) (['id' => $this->row['user_id']] + \Database::read('users')[$this->row['user_id']]);
            }
            if ($name === 'product') {
                $product = \Database::read('products')[$this->row['product_id']];
                $server = \Database::read('servers')[$product['server']] ?? null;

                return (object) ['settings' => $product['settings'], 'server' => $server === null ? null : (object) $server];
            }

            return $this->row[$name] ?? null;
        }
    }
}

namespace App\Helpers {
    use App\Models\Service;

    final class ExtensionHelper
    {
        public static function getExtension(string $name, array $config = []): object
        {
            $class = "Paymenter\\Extensions\\Servers\\$name\\$name";

            return new $class($config);
        }

        public static function getServiceProperties(Service $service): array
        {
            $properties = [];
            foreach (\Database::read('properties')[$service->id] ?? [] as $key => $row) {
                $properties[$key] = $row['value'];
            }

            // Options come last and win.
            return array_merge($properties, $service->options ?? []);
        }

        public static function callService(Service $service, string $function, array $args = []): mixed
        {
            $server = $service->product->server ?? throw new \Exception('No server assigned to this product');
            $extension = self::getExtension($server->extension, $server->settings);
            if (!method_exists($extension, $function)) {
                throw new \Exception("Server does not support the action: $function");
            }

            return $extension->$function($service, $service->product->settings, self::getServiceProperties($service), ...$args);
        }
    }
}
