//! The formats of listings, one file each: what a line of it says.

pub(super) mod cms;
pub(super) mod dls;
pub(super) mod dos;
pub(super) mod eplf;
pub(crate) mod mlsd;
pub(super) mod mvs;
pub(super) mod netware;
pub(super) mod os400;
pub(super) mod rare;
pub(super) mod tandem;
pub(super) mod unisys;
pub(super) mod unix;
pub(super) mod vms;
