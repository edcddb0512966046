<?php

namespace Paymenter\Extensions\Servers\Innkeeper;

use App\Exceptions\DisplayException;
use App\Helpers\ExtensionHelper;
use App\Models\Service;
use Illuminate\Http\Request;

/** What the forms on a customer's pages post. */
final class Acts
{
    /** Form, method of the extension, and the field that it wants. */
    private const ACTS = [
        'add-domain' => ['addDomain', 'domain'],
        'check-domain' => ['checkDomain', 'domain'],
        'remove-domain' => ['removeDomain', 'domain'],
        'restore-backup' => ['restoreBackup', 'backup'],
    ];

    public function act(Request $request, Service $service, string $act)
    {
        [$function, $field] = self::ACTS[$act] ?? abort(404);
        // The route asks the panel's policy too; the key of the panel opens every customer's services.
        if ((int) $service->user_id !== (int) $request->user()?->id || $service->product?->server?->extension !== 'Innkeeper') {
            abort(404);
        }
        $value = trim((string) $request->input($field));
        if (preg_match('/^(?!\.{1,2}$)[\x21-\x7e\x80-\xff]{1,253}$/', $value) !== 1 || ($act === 'restore-backup' && $request->input('sure') !== '1')) {
            return $this->back($service, $field, 'Nothing was done: something is missing in the form.');
        }
        try {
            ExtensionHelper::callService($service, $function, [$value]);
        } catch (DisplayException $problem) {
            return $this->back($service, $field, $problem->getMessage());
        }

        return $this->back($service, $field, 'It is under way.');
    }

    private function back(Service $service, string $field, string $words)
    {
        return redirect()->route('services.show', ['service' => $service->id, 'tab' => $field . 's'])->with('innkeeper', $words);
    }
}
