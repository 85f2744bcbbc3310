<?php

declare(strict_types=1);

namespace Legacy;

require __DIR__ . '/../inc/start.php';

open_session();
log_out();
redirect('/login.php');
