use crate::StartError;
use crate::process::Process;
use crate::server::Place;

pub(super) fn start(place: &Place) -> Result<Process, StartError> {
    super::supports(&place.options, false, "being started")?;
    unreachable!()
}
