<?php
// DAViCal under PHP's own web server: what Apache would put into these variables.
$_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = '/caldav.php';
$path = rawurldecode(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH));
if ($path === '/.well-known/caldav') {
    header('Location: /caldav.php/', true, 301);
    return;
}
$_SERVER['PATH_INFO'] = strpos($path, '/caldav.php') === 0 ? substr($path, strlen('/caldav.php')) : $path;
chdir('/usr/share/davical/htdocs');
require '/usr/share/davical/htdocs/caldav.php';
