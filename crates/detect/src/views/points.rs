//! Places of a request (*points*), kept as a tree so that naming one costs nothing until it is reported.

use std::fmt::Write as _;

/// A place of a request; an index into the [`Points`] that gave it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PointId(pub u32);

/// One element of a point's spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointKind {
    Method,
    Uri,
    Path,
    ActionName,
    ActionExt,
    Get,
    GetName,
    Header,
    HeaderName,
    Cookie,
    CookieName,
    Post,
    FormUrlencoded,
    FormUrlencodedName,
    Multipart,
    MultipartName,
    File,
    ContentDisp,
    JsonDoc,
    Hash,
    HashName,
    Array,
    Xml,
    XmlTag,
    XmlAttr,
    Base64,
    Gzip,
    Jwt,
    Pollution,
    XmlComment,
    XmlPi,
    XmlDtd,
    XmlDtdEntity,
    Gql,
    GqlQuery,
    GqlMutation,
    GqlSubscription,
    GqlFragment,
    GqlType,
    GqlAlias,
    GqlVar,
    GqlDir,
    GqlArg,
    Grpc,
    Protobuf,
    Viewstate,
    ViewstateArray,
    ViewstatePair,
    ViewstateTriplet,
    ViewstateSparseArray,
    ViewstateDictKey,
    ViewstateDictValue,
    Php,
    PhpClass,
    Java,
    JavaClass,
}

impl PointKind {
    /// The element's name in reports.
    pub fn name(self) -> &'static str {
        match self {
            PointKind::Method => "method",
            PointKind::Uri => "uri",
            PointKind::Path => "path",
            PointKind::ActionName => "action_name",
            PointKind::ActionExt => "action_ext",
            PointKind::Get => "get",
            PointKind::GetName => "get_name",
            PointKind::Header => "header",
            PointKind::HeaderName => "header_name",
            PointKind::Cookie => "cookie",
            PointKind::CookieName => "cookie_name",
            PointKind::Post => "post",
            PointKind::FormUrlencoded => "form_urlencoded",
            PointKind::FormUrlencodedName => "form_urlencoded_name",
            PointKind::Multipart => "multipart",
            PointKind::MultipartName => "multipart_name",
            PointKind::File => "file",
            PointKind::ContentDisp => "content_disp",
            PointKind::JsonDoc => "json_doc",
            PointKind::Hash => "hash",
            PointKind::HashName => "hash_name",
            PointKind::Array => "array",
            PointKind::Xml => "xml",
            PointKind::XmlTag => "xml_tag",
            PointKind::XmlAttr => "xml_attr",
            PointKind::Base64 => "base64",
            PointKind::Gzip => "gzip",
            PointKind::Jwt => "jwt",
            PointKind::Pollution => "pollution",
            PointKind::XmlComment => "xml_comment",
            PointKind::XmlPi => "xml_pi",
            PointKind::XmlDtd => "xml_dtd",
            PointKind::XmlDtdEntity => "xml_dtd_entity",
            PointKind::Gql => "gql",
            PointKind::GqlQuery => "gql_query",
            PointKind::GqlMutation => "gql_mutation",
            PointKind::GqlSubscription => "gql_subscription",
            PointKind::GqlFragment => "gql_fragment",
            PointKind::GqlType => "gql_type",
            PointKind::GqlAlias => "gql_alias",
            PointKind::GqlVar => "gql_var",
            PointKind::GqlDir => "gql_dir",
            PointKind::GqlArg => "gql_arg",
            PointKind::Grpc => "grpc",
            PointKind::Protobuf => "protobuf",
            PointKind::Viewstate => "viewstate",
            PointKind::ViewstateArray => "viewstate_array",
            PointKind::ViewstatePair => "viewstate_pair",
            PointKind::ViewstateTriplet => "viewstate_triplet",
            PointKind::ViewstateSparseArray => "viewstate_sparse_array",
            PointKind::ViewstateDictKey => "viewstate_dict_key",
            PointKind::ViewstateDictValue => "viewstate_dict_value",
            PointKind::Php => "php",
            PointKind::PhpClass => "php_class",
            PointKind::Java => "java",
            PointKind::JavaClass => "java_class",
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Key {
    None,
    Index(u32),
    Name { start: u32, end: u32 },
}

#[derive(Clone, Copy, Debug)]
struct Node {
    parent: Option<PointId>,
    kind: PointKind,
    key: Key,
}

/// All points of one request.
#[derive(Clone, Debug, Default)]
pub struct Points {
    nodes: Vec<Node>,
    names: Vec<u8>,
}

impl Points {
    pub(crate) fn clear(&mut self) {
        self.nodes.clear();
        self.names.clear();
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Adds another point of the same spelling, for a value that is to be judged on its own.
    pub(crate) fn twin(&mut self, id: PointId) -> PointId {
        match self.node(id).copied() {
            Some(node) => self.push(node),
            None => id,
        }
    }

    /// Adds a point without a key: `[post]`, `[.., json_doc]`.
    pub(crate) fn plain(&mut self, parent: Option<PointId>, kind: PointKind) -> PointId {
        self.push(Node { parent, kind, key: Key::None })
    }

    /// Adds a point with a number: `[path, 0]`, `[.., array, 3]`.
    pub(crate) fn index(&mut self, parent: Option<PointId>, kind: PointKind, i: u32) -> PointId {
        self.push(Node { parent, kind, key: Key::Index(i) })
    }

    /// Adds a point with a name: `[get, 'id']`. Header names are kept in upper case.
    pub(crate) fn named(
        &mut self,
        parent: Option<PointId>,
        kind: PointKind,
        name: &[u8],
    ) -> PointId {
        let start = self.names.len();
        self.names.extend_from_slice(name);
        if kind == PointKind::Header {
            if let Some(name) = self.names.get_mut(start..) {
                name.make_ascii_uppercase();
            }
        }
        let key = Key::Name { start: start as u32, end: self.names.len() as u32 };
        self.push(Node { parent, kind, key })
    }

    fn push(&mut self, node: Node) -> PointId {
        let id = PointId(self.nodes.len() as u32);
        self.nodes.push(node);
        id
    }

    fn node(&self, id: PointId) -> Option<&Node> {
        self.nodes.get(id.0 as usize)
    }

    fn key_bytes(&self, node: &Node) -> Option<&[u8]> {
        match node.key {
            Key::Name { start, end } => self.names.get(start as usize..end as usize),
            _ => None,
        }
    }

    /// The name of the innermost named element: the parameter, cookie or header.
    pub fn key(&self, id: PointId) -> Option<&[u8]> {
        self.ancestors(id).find_map(|node| self.key_bytes(node))
    }

    /// The header, in upper case, that the point lies in.
    pub fn header(&self, id: PointId) -> Option<&[u8]> {
        self.ancestors(id)
            .find(|node| node.kind == PointKind::Header)
            .and_then(|node| self.key_bytes(node))
    }

    /// The point's last element.
    pub fn kind(&self, id: PointId) -> Option<PointKind> {
        self.node(id).map(|node| node.kind)
    }

    fn ancestors(&self, id: PointId) -> impl Iterator<Item = &Node> {
        std::iter::successors(self.node(id), |node| node.parent.and_then(|up| self.node(up)))
    }

    /// The public node's spelling: `[post, json_doc, hash, 'a', array, 0]`.
    pub fn spell(&self, id: PointId) -> String {
        let path: Vec<&Node> = self.ancestors(id).collect();
        let mut out = String::from("[");
        for (i, node) in path.iter().rev().enumerate() {
            if i > 0 {
                out.push_str(", ");
            }
            out.push_str(node.kind.name());
            match node.key {
                Key::None => {}
                Key::Index(index) => {
                    let _ = write!(out, ", {index}");
                }
                Key::Name { .. } => {
                    out.push_str(", '");
                    push_name(&mut out, self.key_bytes(node).unwrap_or_default());
                    out.push('\'');
                }
            }
        }
        out.push(']');
        out
    }
}

/// Appends a name so that it stays on one line and cannot be mistaken for spelling; cut at 128 characters.
fn push_name(out: &mut String, name: &[u8]) {
    const LONGEST: usize = 128;
    for (i, character) in String::from_utf8_lossy(name).chars().enumerate() {
        match character {
            _ if i == LONGEST => {
                out.push('…');
                return;
            }
            '\'' | '\\' => {
                out.push('\\');
                out.push(character);
            }
            c if c.is_control() => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
}
