//! Every scenario reaches its failing state, stays there untouched, and heals by its documented remedy.
