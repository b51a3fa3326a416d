<?php
// sabre/dav 1.8 as a CalDAV server for one person, under PHP's own web server. Asks for Basic, or for
// Digest as Baikal may; takes Basic in any case. Made of the classes that its packaged example uses.
error_reporting(E_ALL & ~E_DEPRECATED & ~E_NOTICE & ~E_WARNING & ~E_STRICT);
date_default_timezone_set('UTC');
require_once 'Sabre/autoload.php';

$pdo = new PDO('sqlite:' . getenv('SABRE_FOLDER') . '/db.sqlite');
$pdo->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);
$pdo->exec('PRAGMA busy_timeout = 5000');
$pdo->exec('PRAGMA synchronous = OFF');

class BasicToo extends Sabre\DAV\Auth\Backend\AbstractBasic {
    public function validateUserPass($name, $password) {
        return $name === getenv('SABRE_USER') && $password === getenv('SABRE_PASSWORD');
    }
}

$said = isset($_SERVER['HTTP_AUTHORIZATION']) ? $_SERVER['HTTP_AUTHORIZATION'] : '';
$basic = stripos($said, 'Basic ') === 0 || getenv('SABRE_SIGN_IN') === 'basic';
$backend = $basic ? new BasicToo() : new Sabre\DAV\Auth\Backend\PDO($pdo);
$principals = new Sabre\DAVACL\PrincipalBackend\PDO($pdo);
$server = new Sabre\DAV\Server(array(
    new Sabre\CalDAV\Principal\Collection($principals),
    new Sabre\CalDAV\CalendarRootNode($principals, new Sabre\CalDAV\Backend\PDO($pdo)),
));
$server->setBaseUri('/');
$server->addPlugin(new Sabre\DAV\Auth\Plugin($backend, 'SabreDAV'));
$server->addPlugin(new Sabre\DAVACL\Plugin());
$server->addPlugin(new Sabre\CalDAV\Plugin());
$server->exec();
