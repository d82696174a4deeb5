//! Whether the layouts of two builds fit, and what to say if not.

use std::fmt;

use abi_stable::StableAbi;
use abi_stable::abi_stability::abi_checking::{
    AbiInstability, AbiInstabilityError, AbiInstabilityErrors, check_layout_compatibility,
};
use abi_stable::library::LibHeader;
use abi_stable::type_layout::TLFieldOrFunction;

use connector_interface::handshake::InterfaceVersion;
use connector_interface::types::ModuleRef;

/// How many differences the one line names; the rest mostly follow from them.
const NAMED: usize = 3;

/// How the layouts of a connector and of this host differ; `Display` is one line.
#[derive(Debug)]
pub struct LayoutMismatch {
    line: String,
    report: String,
}

impl LayoutMismatch {
    /// The full comparison, hundreds of lines long.
    #[must_use]
    pub fn report(&self) -> &str {
        &self.report
    }
}

impl fmt::Display for LayoutMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}

/// Compares the layouts of a library with those of this build.
///
/// abi_stable lets a connector know more than its host, not the reverse. The interface grows in
/// one direction and objects answer for what they lack, so the older side is always compared as
/// the one that knows less.
pub(crate) fn check(header: &LibHeader, connector: InterfaceVersion) -> Result<(), LayoutMismatch> {
    let host = <ModuleRef as StableAbi>::LAYOUT;
    let Some(library) = header.layout() else {
        let line = "it was built without a description of its layout".to_owned();
        return Err(LayoutMismatch { report: line.clone(), line });
    };
    let compared = if connector < InterfaceVersion::CURRENT {
        check_layout_compatibility(library, host)
    } else {
        check_layout_compatibility(host, library)
    };
    compared.map_err(|errors| LayoutMismatch { line: digest(&errors), report: errors.to_string() })
}

fn digest(errors: &AbiInstabilityErrors) -> String {
    let mut causes: Vec<_> = errors
        .errors
        .iter()
        .flat_map(|error| error.errs.iter().map(move |cause| (cause, innermost_name(error))))
        .collect();
    // A type's size differs because of something in it, which says more.
    causes.sort_by_key(|(cause, _)| matches!(cause, AbiInstability::Size(_)));
    let mut lines: Vec<String> = Vec::new();
    for (cause, near) in causes {
        let line = format!("{} (near {near})", describe(cause));
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    let more = lines.len().saturating_sub(NAMED);
    lines.truncate(NAMED);
    let more = if more == 0 { String::new() } else { format!("; and {more} more") };
    lines.join("; ") + &more
}

/// The innermost name on the way to the difference.
fn innermost_name(error: &AbiInstabilityError) -> String {
    match error.stack_trace.last().map(|step| &step.expected) {
        None => "the root module".to_owned(),
        Some(TLFieldOrFunction::Field(field)) => field.layout().name().to_owned(),
        Some(TLFieldOrFunction::Function(function)) => function.name.to_string(),
    }
}

fn describe(cause: &AbiInstability) -> &'static str {
    match cause {
        AbiInstability::Name(_) | AbiInstability::Package(_) => "another type",
        AbiInstability::PackageVersion(_) => "an incompatible package version",
        AbiInstability::Size(_) => "another size",
        AbiInstability::Alignment(_) => "another alignment",
        AbiInstability::FieldCountMismatch(_) => "another number of fields",
        AbiInstability::UnexpectedField(_) => "an unexpected field",
        AbiInstability::MismatchedPrefixSize(_) => "another guaranteed prefix",
        AbiInstability::MismatchedPrimitive(_) => "another primitive type",
        AbiInstability::FnLifetimeMismatch(_) | AbiInstability::FieldLifetimeMismatch(_) => {
            "other lifetimes"
        }
        AbiInstability::FnQualifierMismatch(_) => "another calling convention",
        AbiInstability::ReprAttr(_) => "another representation",
        _ => "another definition",
    }
}
