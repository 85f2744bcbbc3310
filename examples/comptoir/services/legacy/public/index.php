<?php

declare(strict_types=1);

namespace Legacy;

require __DIR__ . '/../inc/start.php';

open_session();
if (user() === null) {
    redirect('/login.php');
}
$links = [
    'Facturation' => settings()['INVOICING_PUBLIC_URL'],
    'Comptabilité' => settings()['ACCOUNTING_PUBLIC_URL'],
    'Paie' => settings()['PAYROLL_PUBLIC_URL'],
    'Administration' => settings()['ADMIN_PUBLIC_URL'],
];

page_top('Accueil');
?>
<p>Bonjour <?= e(user()) ?>. <a href="/logout.php">Quitter</a></p>
<ul>
    <li><a href="/customers.php">Clients</a></li>
<?php foreach ($links as $label => $url) { ?>
    <li><a href="<?= e($url) ?>"><?= e($label) ?></a></li>
<?php } ?>
</ul>
<?php
page_bottom();
