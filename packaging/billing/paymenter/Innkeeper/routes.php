<?php

use Illuminate\Support\Facades\Route;
use Paymenter\Extensions\Servers\Innkeeper\Acts;

Route::post('/extensions/innkeeper/{service}/{act}', [Acts::class, 'act'])
    ->middleware(['web', 'auth', 'can:view,service', 'throttle:20,1'])
    ->name('extensions.servers.innkeeper.act');
