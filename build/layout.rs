//! Asks the C compiler for the layout of every struct the module reads or writes, and writes compile-time
//! assertions against nginx-sys's bindings to `OUT_DIR/layout.rs`. bindgen asks libclang, NGINX is
//! compiled by `cc`: if they ever disagree, the build fails instead of a worker.
//!
//! The numbers travel as initialised data in an object file, so nothing built for the target is run.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use object::{Object as _, ObjectSection as _, ObjectSymbol as _};

use crate::Nginx;

/// Structs with the fields we touch, by their C names; fields are separated by blanks. Bit-fields have no offset in C; the size of
/// their struct and the neighbouring fields stand for them.
const STRUCTS: &[(&str, &str)] = &[
    (
        "ngx_http_request_t",
        "connection ctx main_conf srv_conf loc_conf read_event_handler write_event_handler \
         pool header_in headers_in headers_out request_body start_sec start_msec method \
         http_version request_line uri args unparsed_uri method_name http_protocol main \
         parent phase_handler content_handler variables cleanup",
    ),
    ("ngx_http_headers_in_t", "headers host server content_length_n"),
    ("ngx_http_headers_out_t", "status content_length_n content_type content_type_len"),
    ("ngx_http_request_body_t", "temp_file bufs"),
    ("ngx_http_variable_value_t", "data"),
    ("ngx_http_complex_value_t", "value flushes lengths values"),
    ("ngx_http_compile_complex_value_t", "cf value complex_value"),
    ("ngx_url_t", "host addrs naddrs err"),
    ("ngx_addr_t", "sockaddr socklen name"),
    ("ngx_http_core_main_conf_t", "servers phases variables"),
    (
        "ngx_http_core_loc_conf_t",
        "name loc_conf handler client_max_body_size client_body_buffer_size",
    ),
    ("ngx_http_phase_t", "handlers"),
    ("ngx_http_conf_ctx_t", "main_conf srv_conf loc_conf"),
    ("ngx_http_module_t", "preconfiguration postconfiguration merge_loc_conf"),
    ("ngx_http_cleanup_t", "handler data next"),
    ("ngx_table_elt_t", "hash key value lowcase_key"),
    ("ngx_str_t", "len data"),
    ("ngx_list_t", "last part size nalloc pool"),
    ("ngx_list_part_t", "elts nelts next"),
    ("ngx_array_t", "elts nelts size nalloc pool"),
    ("ngx_chain_t", "buf next"),
    ("ngx_buf_t", "pos last file_pos file_last start end file"),
    ("ngx_file_t", "fd name offset log"),
    ("ngx_open_file_t", "fd name flush data"),
    (
        "ngx_connection_t",
        "data read write fd log pool sockaddr socklen addr_text proxy_protocol local_sockaddr \
         local_socklen buffer number requests",
    ),
    ("ngx_proxy_protocol_t", "src_addr dst_addr src_port dst_port"),
    ("ngx_event_t", "data handler log timer queue"),
    ("ngx_command_t", "name type set conf offset post"),
    (
        "ngx_module_t",
        "ctx_index index name version signature ctx commands type init_module init_process \
         exit_process exit_master",
    ),
    ("ngx_conf_file_t", "file line"),
    ("ngx_conf_t", "args cycle pool temp_pool conf_file log ctx module_type cmd_type"),
    ("ngx_cycle_t", "conf_ctx pool log modules open_files hostname"),
    ("ngx_pool_t", "d max current cleanup log"),
    ("ngx_pool_cleanup_t", "handler data next"),
    ("ngx_shm_zone_t", "data shm init tag noreuse"),
    ("ngx_shm_t", "addr size name log exists"),
    ("ngx_slab_pool_t", "data addr"),
    ("ngx_log_t", "log_level file connection handler data"),
];

const SYMBOL: &str = "wallarm_layout";

/// Bytes of one number in the table: `unsigned long long` on every target NGINX runs on.
const WORD: usize = 8;

pub(crate) fn generate(nginx: &Nginx) -> Result<(), Box<dyn Error>> {
    let source = nginx.out_dir.join("layout.c");
    fs::write(&source, c_table())?;
    let numbers = read_table(&compile(nginx, &source)?)?;
    fs::write(nginx.out_dir.join("layout.rs"), assertions(&numbers)?)?;
    Ok(())
}

fn c_table() -> String {
    let headers = ["ngx_config.h", "ngx_core.h", "ngx_http.h"];
    let mut c: String = headers.iter().map(|header| format!("#include <{header}>\n")).collect();
    c += &format!("\nconst unsigned long long {SYMBOL}[] = {{\n");
    for (name, fields) in STRUCTS {
        c += &format!("    sizeof({name}),\n");
        for field in fields.split_whitespace() {
            c += &format!("    offsetof({name}, {field}),\n");
        }
    }
    c + "};\n"
}

/// Compiles with the headers and macros that NGINX itself is compiled with.
fn compile(nginx: &Nginx, source: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut build = cc::Build::new();
    build.file(source).includes(&nginx.includes).warnings(false);
    // With LTO the object would hold the compiler's own format and no readable data.
    build.flag_if_supported("-fno-lto");
    for define in &nginx.defines {
        build.flag(define);
    }
    let objects = build.try_compile_intermediates()?;
    let object = objects.first().ok_or("the C compiler wrote no object file")?;
    Ok(fs::read(object)?)
}

fn read_table(bytes: &[u8]) -> Result<Vec<u64>, Box<dyn Error>> {
    let file = object::File::parse(bytes)?;
    let symbol = file.symbol_by_name(SYMBOL).ok_or("the object file lacks the layout table")?;
    let section = symbol.section_index().ok_or("the layout table is in no section")?;
    let section = file.section_by_index(section)?;
    let data = section
        .data_range(symbol.address(), symbol.size())?
        .ok_or("the layout table lies outside its section")?;

    let number = if file.is_little_endian() { u64::from_le_bytes } else { u64::from_be_bytes };
    data.chunks_exact(WORD).map(|word| Ok(number(word.try_into()?))).collect()
}

fn assertions(numbers: &[u64]) -> Result<String, Box<dyn Error>> {
    let mut rust = String::new();
    let mut numbers = numbers.iter();
    for (name, fields) in STRUCTS {
        let size = numbers.next().ok_or("the layout table is too short")?;
        writeln!(rust, "const _: () = assert!(size_of::<{name}>() == {size});")?;
        for field in fields.split_whitespace() {
            let offset = numbers.next().ok_or("the layout table is too short")?;
            let field = rust_name(field);
            writeln!(rust, "const _: () = assert!(offset_of!({name}, {field}) == {offset});")?;
        }
    }
    match numbers.next() {
        None => Ok(rust),
        Some(_) => Err("the layout table is too long".into()),
    }
}

/// bindgen appends `_` to C names that are Rust keywords.
fn rust_name(field: &str) -> &str {
    match field {
        "type" => "type_",
        _ => field,
    }
}
