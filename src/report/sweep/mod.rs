//! What a sweep shows: its best trials while it goes on, a table at its end, and a page with the score against each setting.

mod climb;
mod drawing;
mod live;
mod page;
mod parallel;
mod scale;
mod scores;
mod table;

pub use live::Live;
pub use page::{SweepPage, page};
pub use table::{ranking, score_of, with_error};
