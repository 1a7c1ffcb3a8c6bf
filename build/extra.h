/*
 * What the module uses of NGINX and NGINX's own headers do not declare.
 * Everything declared in this file, and nothing else, gets a Rust binding.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#if (NGX_HTTP_REALIP)
extern ngx_module_t  ngx_http_realip_module;
#endif
