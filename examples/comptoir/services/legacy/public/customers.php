<?php

declare(strict_types=1);

namespace Legacy;

require __DIR__ . '/../inc/start.php';

open_session();
if (user() === null) {
    redirect('/login.php');
}
$isPost = $_SERVER['REQUEST_METHOD'] === 'POST';
[$customer, $problems] = $isPost ? parse_customer($_POST) : [['name' => '', 'email' => '', 'city' => ''], []];
if ($isPost && !$problems) {
    add_customer(connect(), $customer);
    redirect('/customers.php');
}
$customers = customers(connect());
if ($problems) {
    http_response_code(422);
}

page_top('Clients');
?>
<table>
    <tr><th>Nom<th>Adresse électronique<th>Ville
<?php foreach ($customers as $row) { ?>
    <tr><td><?= e($row['name']) ?><td><?= e($row['email']) ?><td><?= e($row['city']) ?>

<?php } ?>
</table>
<h2>Nouveau client</h2>
<?php foreach ($problems as $problem) { ?>
<p class="error"><?= e($problem) ?></p>
<?php } ?>
<form method="post">
    <label>Nom <input name="name" value="<?= e($customer['name']) ?>" required></label>
    <label>Adresse électronique <input name="email" type="email" value="<?= e($customer['email']) ?>" required></label>
    <label>Ville <input name="city" value="<?= e($customer['city']) ?>"></label>
    <button>Ajouter</button>
</form>
<?php
page_bottom();
