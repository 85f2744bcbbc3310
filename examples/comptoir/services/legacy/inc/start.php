<?php

// What every page starts with.

declare(strict_types=1);

require_once __DIR__ . '/functions.php';

set_exception_handler('Legacy\answer_error');
